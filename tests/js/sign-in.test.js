// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { translator } from '../../static/i18n/index.js';
import { loadLogin } from '../../static/net/login-api.js';
import { getJson } from '../../static/net/http.js';
import { askToSignIn, signInAnd, watchAccess } from '../../static/pages/sign-in.js';
import { fakeFetch, speakEnglish } from './fakes.js';

vi.mock('../../static/ui/stylesheet.js', () => ({ useStylesheet: async () => {} }));

let toaster;
let posts; // keys that were tried
let login; // what GET /api/login answers

beforeEach(async () => {
  document.body.replaceChildren();
  await speakEnglish(translator);
  [posts, toaster, login] = [[], { news: vi.fn() }, { required: true, signed_in: false, admin: false }];
  vi.stubGlobal('fetch', async (url, { method = 'GET', body } = {}) => {
    if (url !== '/api/login') return new Response('{"code":"unauthorized"}', { status: 401 });
    if (method === 'GET') return new Response(JSON.stringify(login));
    posts.push(JSON.parse(body).token);
    if (posts.at(-1) === 'lost') throw new TypeError('network');
    return new Response(null, { status: posts.at(-1) === 'right' ? 204 : 401 });
  });
});

const dialogs = () => document.querySelectorAll('dialog');
const asked = () => vi.waitFor(() => expect(dialogs()).toHaveLength(1));
const notes = () => document.querySelector('dialog [role=alert]').textContent;

async function enter(key) {
  document.querySelector('#sign-in-key').value = key;
  const count = posts.length;
  document.querySelector('dialog form').dispatchEvent(new Event('submit', { cancelable: true }));
  await vi.waitFor(() => expect(posts.length).toBe(count + 1));
}

describe('signing in', () => {
  it('is asked for at once where nothing goes without a key', async () => {
    void watchAccess({ toaster });
    await asked();
    await enter('right');
    await vi.waitFor(() => expect(toaster.news).toHaveBeenCalledExactlyOnceWith('login.done'));
    expect(dialogs()).toHaveLength(0);
  });

  it.each([
    ['no key is needed', { required: false, signed_in: false }],
    ['the visitor is signed in', { required: true, signed_in: true }],
  ])('is not asked for when %s', async (_, status) => {
    login = status;
    await watchAccess({ toaster });
    expect(dialogs()).toHaveLength(0);
  });

  it('is asked for once when the service refuses several things', async () => {
    login = { required: true, signed_in: true };
    await watchAccess({ toaster });
    await Promise.allSettled([getJson('/api/presets'), getJson('/api/apps')]);
    await asked();
    document.querySelector('dialog').close();
  });

  it('says that a key is wrong, and lets one try again', async () => {
    const answer = askToSignIn();
    await asked();
    await enter('wrong');
    await vi.waitFor(() => expect(notes()).toBe('This key is not right. Check it and try again.'));
    await enter('right');
    expect(await answer).toBe(true);
  });

  it('tells of a lost connection in the dialog', async () => {
    void askToSignIn();
    await asked();
    await enter('lost');
    await vi.waitFor(() => expect(notes()).toContain('The service cannot be reached'));
    document.querySelector('dialog').close();
  });

  it('does what was refused afterwards, but not when it is given up', async () => {
    const act = vi.fn();
    const given = signInAnd(act);
    await asked();
    document.querySelector('dialog').close();
    await given;
    expect(act).not.toHaveBeenCalled();
    const again = signInAnd(act);
    await asked();
    await enter('right');
    await again;
    expect(act).toHaveBeenCalledOnce();
  });

  it('is not needed where the service knows no keys', async () => {
    const fetch = fakeFetch({ '/api/login': [404, { detail: 'Not Found' }] });
    expect(await loadLogin({ fetch })).toMatchObject({ required: false });
  });
});
