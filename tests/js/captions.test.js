import { describe, expect, it } from 'vitest';

import { layoutCaptions, wrapText } from '../../static/lib/caption-layout.js';

const measure = (text) => [...text].reduce((sum, letter) => sum + (letter > '\u2e80' ? 2 : 1), 0);

describe('captions break', () => {
  it('other writing at spaces', () => {
    const lines = wrapText('The fox jumped over the lazy dog', 12, measure);
    expect(lines).toEqual(['The fox', 'jumped over', 'the lazy dog']);
  });

  it('Chinese at any character, but not before a full stop', () => {
    expect(wrapText('狐狸跳过了那只懒狗。', 8, measure)).toEqual(['狐狸跳过', '了那只懒', '狗。']);
    expect(wrapText('狐狸跳过。', 8, measure)).toEqual(['狐狸跳', '过。']);
  });

  it('mixed writing at both', () => {
    expect(wrapText('你好 MiniCPM 模型', 12, measure)).toEqual(['你好 MiniCPM', '模型']);
  });

  it('a word that is wider than a line wherever it has to', () => {
    expect(wrapText('a incomprehensible b', 8, measure)).toEqual(['a incomp', 'rehensib', 'le b']);
  });

  it('nothing into no lines', () => {
    expect(wrapText('  ', 8, measure)).toEqual([]);
  });
});

describe('captions lie', () => {
  const picture = {
    width: 640,
    height: 480,
    areaPercent: 50,
    bottomPercent: 90,
    topPercent: 15,
    measure: (text, fontPx) => (text.length * fontPx) / 2,
  };
  const layout = (turns, more = {}) => layoutCaptions({ ...picture, ...more, turns });

  it('with the newest at the bottom, inside their area', () => {
    const { lines } = layout(['first', 'second', 'third']);
    expect(lines.map(({ text }) => text)).toEqual(['third', 'second', 'first']);
    for (const { middlePx } of lines) expect(middlePx).toBeGreaterThan(240);
    expect(lines[0].middlePx).toBeGreaterThan(lines[1].middlePx);
  });

  it('fading towards the top', () => {
    const opacities = layout(Array(20).fill('words')).lines.map(({ opacity }) => opacity);
    expect(opacities.length).toBeGreaterThan(5);
    expect(opacities).toEqual([...opacities].sort((a, b) => b - a));
    expect(opacities[0]).toBe(0.9);
    expect(opacities.at(-1)).toBeGreaterThanOrEqual(0.15);
  });

  it('with at most four lines of each turn, its last ones', () => {
    const { lines } = layout(['word '.repeat(200) + 'end'], { areaPercent: 80 });
    expect(lines).toHaveLength(4);
    expect(lines[0].text).toMatch(/end$/);
  });

  it.each([
    ['a large picture', 1920, 1080, 43.2],
    ['a narrow one', 180, 1080, 14],
    ['a tiny one', 64, 48, 14],
  ])('in letters that fit %s', (_, width, height, fontPx) => {
    expect(layout(['words'], { width, height }).fontPx).toBeCloseTo(fontPx);
  });
});
