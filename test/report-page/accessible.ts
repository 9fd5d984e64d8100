/** Looks that are run inside the page. Each is whole by itself: nothing from outside of it is there. */

/** Texts that are seen and have less than 4.5 to 1 against what is behind them (WCAG 2.2, 1.4.3). */
export function contrastFaults(): string[] {
  const parse = (colour: string) => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (colour: string) => {
    const [red = 0, green = 0, blue = 0] = parse(colour)
      .slice(0, 3)
      .map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (element: Element | null): string => {
    if (!element) return 'rgb(255, 255, 255)';
    const { backgroundColor } = getComputedStyle(element);
    return parse(backgroundColor)[3] === 0 ? behind(element.parentElement) : backgroundColor;
  };
  const faults = new Set<string>();
  const dialog = document.querySelector('dialog[open]');
  for (const element of (dialog ?? document.body).querySelectorAll('*')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim());
    if (!own || !element.checkVisibility() || element.closest('script, style, :disabled')) continue;
    const { color } = getComputedStyle(element);
    const [dark = 0, light = 0] = [luminance(color), luminance(behind(element))].sort((a, b) => a - b);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < 4.5) faults.add(`${element.tagName}.${element.className}: ${ratio.toFixed(2)}`);
  }
  return [...faults];
}

/** Controls without a name, headings that skip a level, ids that are there twice, missing landmarks, cells without headings. */
export function structureFaults(): string[] {
  const faults: string[] = [];
  for (const control of document.querySelectorAll('button, input, select')) {
    const named =
      control.getAttribute('aria-label') ||
      (control as HTMLInputElement).labels?.[0]?.textContent?.trim() ||
      (control.tagName === 'BUTTON' && control.textContent?.trim());
    if (!named) faults.push(`no name: ${control.outerHTML}`);
  }
  for (const within of ['main', 'dialog']) {
    let before = 1;
    for (const heading of document.querySelectorAll(`${within} :is(h1, h2, h3, h4)`)) {
      const level = Number(heading.tagName[1]);
      if (level > before + 1) faults.push(`skips a level: ${heading.textContent}`);
      before = level;
    }
  }
  const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
  faults.push(...ids.filter((id, at) => ids.indexOf(id) !== at).map((id) => `twice: ${id}`));
  for (const name of ['aria-labelledby', 'aria-describedby']) {
    for (const element of document.querySelectorAll(`[${name}]`)) {
      if (!ids.includes(element.getAttribute(name) ?? ''))
        faults.push(`${name} of nothing: ${element.tagName}`);
    }
  }
  for (const landmark of ['main', 'header', 'h1', 'html[lang]', 'nav[aria-label]', 'search']) {
    if (document.querySelectorAll(landmark).length !== 1) faults.push(`not once: ${landmark}`);
  }
  for (const cell of document.querySelectorAll('#rows th')) {
    if (cell.getAttribute('scope') !== 'col') faults.push(`no scope: ${cell.textContent}`);
  }
  return faults;
}
