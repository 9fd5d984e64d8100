// The page of `capwrap audit report` without a report in it: one file with its code and style inside.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'rolldown';

/** The page, and what was bundled for it. */
export async function reportFrame(root) {
  const folder = join(root, 'src', 'report-page');
  const { output } = await build({
    cwd: root,
    input: join(folder, 'main.ts'),
    platform: 'browser',
    logLevel: 'warn',
    write: false,
    tsconfig: join(folder, 'tsconfig.json'),
    transform: { target: 'es2022' },
    plugins: [withoutMarkup],
    output: { format: 'iife', minify: true, comments: { legal: false }, codeSplitting: false },
  });
  // A comment or the end of a script inside a text of the code would end it in HTML.
  const script = output[0].code.trim().replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--');
  const style = withDarkPalette((await readFile(join(folder, 'page.css'), 'utf8')).trim());
  const html = await readFile(join(folder, 'page.html'), 'utf8');
  const filled = [
    ['policy', `<meta http-equiv="Content-Security-Policy" content="${policyOf(script, style)}">`],
    ['style', `<style>${style}</style>`],
    ['script', `<script>${script}</script>`],
  ].reduce((page, [slot, content]) => put(page, `<!--build:${slot}-->`, content), html);
  for (const slot of ['title', 'summary', 'noscript', 'data']) put(filled, `<!--report:${slot}-->`, '');
  return { html: filled, output };
}

/** The drawing library empties its element by way of markup, which the page's policy takes from all code. */
const withoutMarkup = {
  name: 'without-markup',
  transform(code, id) {
    if (!/zrender\/lib\/canvas\/Painter\.js$/.test(id)) return undefined;
    const emptied = code.replaceAll(/\broot\.innerHTML = '';/g, 'root.replaceChildren();');
    if (emptied === code || emptied.includes('innerHTML'))
      throw new Error(`report page: ${id} is not as expected`);
    return emptied;
  },
};

/** The dark colours are for a browser that is set to dark, and for a reader who chose them: written once, there twice. */
function withDarkPalette(style) {
  const [, palette] = /^:root\[data-theme="dark"\] \{\n([^}]+)\}/m.exec(style) ?? [];
  if (palette === undefined) throw new Error('report page: page.css has no dark palette');
  return put(style, '/*build:dark*/', palette.trim());
}

/** Nothing is loaded and nothing is sent; the one script and the one style run, and no other. */
function policyOf(script, style) {
  const hash = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  return [
    "default-src 'none'",
    `script-src ${hash(script)}`,
    `style-src ${hash(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}

function put(page, mark, content) {
  const parts = page.split(mark);
  if (parts.length !== 2) throw new Error(`report page: ${mark} is there ${parts.length - 1} times`);
  return parts.join(content);
}
