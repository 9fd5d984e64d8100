/** Light or dark: as the system says, unless somebody chose. On paper always light. */
import { byId } from './dom.ts';
import type { Colours } from './draw.ts';
import { HUES } from './marks.ts';

/** `changed` is called whenever the colours are others. */
export function watchTheme(changed: () => void): void {
  const choice = byId<HTMLSelectElement>('theme');
  const root = document.documentElement;
  const apply = (theme: string) => {
    if (theme === '') delete root.dataset['theme'];
    else root.dataset['theme'] = theme;
    changed();
  };
  choice.closest('label')?.removeAttribute('hidden');
  choice.addEventListener('change', () => apply(choice.value));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed);
  addEventListener('beforeprint', () => apply('light'));
  addEventListener('afterprint', () => apply(choice.value));
}

export function currentColours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const names = [...HUES, 'ink', 'muted', 'line', 'ground', 'panel'] as const;
  return Object.fromEntries(
    names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]),
  ) as Colours;
}
