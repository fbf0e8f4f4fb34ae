// What is wrong with how the page looks now, in words; an expression that is evaluated in it.
(() => {
  const SMALLEST_TARGET = 24;
  const CONTROLS = 'a[href], button, input, select, textarea, summary, [role=switch], [tabindex="0"]';
  const findings = [];
  const find = (what, node) => findings.push(`${what}: ${describe(node)}`);

  const root = document.documentElement;
  const top = document.querySelector('dialog:modal') ?? document.body;
  const isClipped = (node) => getComputedStyle(node).clipPath !== 'none';
  const isShown = (node) =>
    node.checkVisibility({ visibilityProperty: true, opacityProperty: true }) &&
    !isClipped(node) &&
    !node.closest('.visually-hidden, .skip-link');

  function describe(node) {
    const words = (node.ariaLabel ?? node.textContent).trim().replaceAll(/\s+/g, ' ').slice(0, 40);
    return `${node.localName}${node.id && `#${node.id}`} "${words}"`;
  }

  /** What is left of a box where it is not scrolled away or cut off, or null. */
  function visiblePart(box, node) {
    let { left, top: upper, right, bottom } = box;
    for (let around = node.parentElement; around; around = around.parentElement) {
      const { overflowX, overflowY, position } = getComputedStyle(around);
      const frame = around.getBoundingClientRect();
      if (overflowX !== 'visible') [left, right] = [Math.max(left, frame.left), Math.min(right, frame.right)];
      if (overflowY !== 'visible') [upper, bottom] = [Math.max(upper, frame.top), Math.min(bottom, frame.bottom)];
      if (position === 'fixed') break;
    }
    return right - left > 1 && bottom - upper > 1 ? new DOMRect(left, upper, right - left, bottom - upper) : null;
  }

  function overlap(a, b) {
    const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    return { across, down };
  }

  const scrollsSideways = (node) => {
    for (let around = node.parentElement; around; around = around.parentElement) {
      if (['auto', 'scroll'].includes(getComputedStyle(around).overflowX)) return true;
    }
    return false;
  };

  function checkWindow() {
    if (root.scrollWidth > root.clientWidth) find('wider than the window', root);
    const lowest = Math.max(
      ...[...document.querySelectorAll('body *')]
        .filter((node) => isShown(node) && node.closest('dialog') === null)
        .map((node) => visiblePart(node.getBoundingClientRect(), node)?.bottom ?? 0),
    );
    const foot = root.scrollHeight - root.scrollTop - Math.max(lowest, root.clientHeight);
    if (foot > 52) findings.push(`${Math.round(foot)} px of nothing at the end of the page`);
  }

  /** A control that cannot be seen is touched by its label. */
  function controls() {
    const shown = [...top.querySelectorAll(CONTROLS)].filter((node) => !node.closest('[inert]'));
    const touched = shown.map((node) => {
      const isHidden = getComputedStyle(node).opacity === '0' || isClipped(node);
      return isHidden && node.labels?.length ? node.labels[0] : node;
    });
    return [...new Set(touched)].filter(isShown).flatMap((node) => {
      const box = node.getBoundingClientRect();
      const seen = visiblePart(box, node);
      return seen === null ? [] : [{ node, box, seen }];
    });
  }

  function checkControls(all) {
    for (const { node, box, seen } of all) {
      const isInText = getComputedStyle(node).display === 'inline';
      if (!isInText && Math.min(box.width, box.height) < SMALLEST_TARGET) {
        find(`only ${Math.round(box.width)} x ${Math.round(box.height)} px`, node);
      }
      const isBeside = box.left < -0.5 || box.right > root.clientWidth + 0.5;
      if (isBeside && !scrollsSideways(node)) find('outside the window', node);
      if (isInText) continue;
      const [x, y] = [seen.left + seen.width / 2, seen.top + seen.height / 2];
      const hit = document.elementFromPoint(x, y);
      const isItsLabel = hit?.closest('label')?.control === node;
      if (hit !== null && !node.contains(hit) && !hit.contains(node) && !isItsLabel) {
        find(`covered by ${describe(hit)}`, node);
      }
    }
  }

  function checkOverlaps(all) {
    for (const [index, one] of all.entries()) {
      for (const other of all.slice(index + 1)) {
        if (one.node.contains(other.node) || other.node.contains(one.node)) continue;
        if (one.node.control === other.node || other.node.control === one.node) continue;
        const { across, down } = overlap(one.seen, other.seen);
        if (across > 1 && down > 1) find(`overlaps with ${describe(other.node)}`, one.node);
      }
    }
  }

  /** The shown texts: node, and the boxes of its lines. */
  function texts() {
    const walker = document.createTreeWalker(top, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) {
      const { currentNode: text } = walker;
      const { parentElement: parent } = text;
      if (!text.data.trim() || !isShown(parent) || parent.closest('script, style, option, svg')) continue;
      const range = document.createRange();
      range.selectNodeContents(text);
      const lines = [...range.getClientRects()].flatMap((box) => visiblePart(box, { parentElement: parent }) ?? []);
      if (lines.length > 0) found.push({ text, parent, lines });
    }
    return found;
  }

  function checkWords(all) {
    const range = document.createRange();
    for (const { text, parent, lines: boxes } of all) {
      const frame = parent.closest('button, .button, .badge')?.getBoundingClientRect();
      if (frame && boxes.some((box) => box.left < frame.left - 1 || box.right > frame.right + 1)) {
        find('its words do not fit in', parent);
      }
      for (const { 0: word, index } of text.data.matchAll(/(?<![\p{L}\d_./-])[A-Za-z]{2,24}(?![\p{L}\d_./])/gu)) {
        range.setStart(text, index);
        range.setEnd(text, index + word.length);
        const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
        if (lines.size > 1) find(`"${word}" is torn apart`, parent);
      }
      const { overflowX, textOverflow } = getComputedStyle(parent);
      const isCut = ['hidden', 'clip'].includes(overflowX) && parent.scrollWidth > parent.clientWidth + 1;
      if (isCut && textOverflow !== 'ellipsis') find('cut off', parent);
    }
  }

  function checkTexts(all) {
    const lines = all.flatMap(({ parent, lines: boxes }) => boxes.map((box) => ({ parent, box })));
    for (const [index, { parent, box }] of lines.entries()) {
      for (const other of lines.slice(index + 1)) {
        if (parent === other.parent || isAbove(parent) !== isAbove(other.parent)) continue;
        const { across, down } = overlap(box, other.box);
        const height = Math.min(box.height, other.box.height);
        if (across > 2 && down > height / 2) find(`lies on "${other.parent.textContent.trim()}"`, parent);
      }
    }
  }

  /** What is fixed or sticks lies on what scrolls below it. */
  function isAbove(node) {
    for (let around = node; around; around = around.parentElement) {
      if (['fixed', 'sticky'].includes(getComputedStyle(around).position)) return true;
    }
    return false;
  }

  function checkFonts(all) {
    const body = getComputedStyle(document.body).fontFamily;
    const code = getComputedStyle(root).getPropertyValue('--font-code').split(',')[0];
    for (const { parent } of all) {
      const { fontFamily } = getComputedStyle(parent);
      if (fontFamily !== body && !fontFamily.startsWith(code)) find(`another font, ${fontFamily}`, parent);
    }
    for (const sheet of document.styleSheets) {
      if (sheet.cssRules.length === 0) findings.push(`nothing in ${sheet.href}`);
    }
  }

  const [shownControls, shownTexts] = [controls(), texts()];
  checkWindow();
  checkControls(shownControls);
  checkOverlaps(shownControls);
  checkWords(shownTexts);
  checkTexts(shownTexts);
  checkFonts(shownTexts);
  return findings;
})();
