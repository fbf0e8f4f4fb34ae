// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { CameraAbilities } from '../../static/pages/camera-abilities.js';
import { Camera } from '../../static/video/camera.js';

/** A phone whose camera can do this. */
function phoneWith(capabilities) {
  const settings = { facingMode: 'environment', zoom: 1, torch: false };
  const applyConstraints = vi.fn(async ({ advanced: [change] }) => void Object.assign(settings, change));
  const track = { getCapabilities: () => capabilities, getSettings: () => settings, applyConstraints };
  const stream = { getVideoTracks: () => [track], getTracks: () => [track] };
  const mediaDevices = { getUserMedia: async () => stream };
  return { browser: { isSecureContext: true, navigator: { mediaDevices } }, settings, applyConstraints };
}

describe('what a camera can do beside', () => {
  let torch;
  let picture;
  const toaster = { failure: vi.fn() };

  async function open(phone) {
    const camera = new Camera({ onLost: () => {} }, phone.browser);
    const abilities = new CameraAbilities({ camera, torch, picture, toaster });
    await camera.open();
    abilities.follow();
    return camera;
  }

  function touch(name, pointerId, clientX) {
    picture.dispatchEvent(Object.assign(new Event(name), { pointerId, clientX, clientY: 0 }));
  }

  const settle = () => new Promise((resolve) => setTimeout(resolve));

  beforeEach(() => {
    [torch, picture] = ['button', 'video'].map((tag) => document.createElement(tag));
  });

  it('is not offered where it can do nothing', async () => {
    const phone = phoneWith({});
    await open(phone);
    expect(torch.hidden).toBe(true);
    touch('pointerdown', 1, 0);
    touch('pointerdown', 2, 100);
    touch('pointermove', 2, 200);
    await settle();
    expect(phone.applyConstraints).not.toHaveBeenCalled();
  });

  it('is giving light, on and off', async () => {
    const { browser, settings } = phoneWith({ torch: true });
    await open({ browser });
    expect(torch.hidden).toBe(false);
    torch.click();
    await settle();
    expect([settings.torch, torch.getAttribute('aria-pressed')]).toEqual([true, 'true']);
    torch.click();
    await settle();
    expect([settings.torch, torch.getAttribute('aria-pressed')]).toEqual([false, 'false']);
  });

  it('is coming closer as two fingers move apart, within its limits', async () => {
    const { browser, settings } = phoneWith({ zoom: { min: 1, max: 4 } });
    await open({ browser });
    touch('pointerdown', 1, 0);
    touch('pointermove', 1, 10);
    touch('pointermove', 1, 0);
    touch('pointerdown', 2, 100);
    touch('pointermove', 2, 250);
    await settle();
    expect(settings.zoom).toBe(2.5);
    touch('pointermove', 2, 900);
    await settle();
    expect(settings.zoom).toBe(4);
    touch('pointerup', 2, 900);
    touch('pointermove', 1, 300);
    await settle();
    expect(settings.zoom).toBe(4);
  });
});
