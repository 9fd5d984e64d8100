/** The little XML that the three services speak: written from plain objects, read strictly. */

/** Content of an element. An array repeats the element; undefined leaves it out. */
type XmlValue = string | number | boolean | undefined | XmlFields | readonly XmlFields[];
export interface XmlFields {
  readonly [name: string]: XmlValue | readonly string[];
}

/** A whole document with one root element; `xmlns` is the service's namespace, or null for none. */
export function xmlDocument(root: string, xmlns: string | null, fields: XmlFields): string {
  const attribute = xmlns === null ? '' : ` xmlns="${xmlns}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${attribute}>${children(fields)}</${root}>`;
}

function children(fields: XmlFields): string {
  return Object.entries(fields)
    .flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((one) => element(name, one)))
    .join('');
}

function element(name: string, value: XmlValue): string {
  if (value === undefined) return '';
  const content = typeof value === 'object' ? children(value as XmlFields) : escapeXml(String(value));
  return `<${name}>${content}</${name}>`;
}

function escapeXml(text: string): string {
  return text.replace(
    /[&<>"\u0000-\u0008\u000b-\u001f]/g,
    (char) => `&#x${char.charCodeAt(0).toString(16)};`,
  );
}

/** One element as it was read. */
export interface XmlElement {
  readonly name: string;
  readonly children: XmlElement[];
  text: string;
}

const TOKEN =
  /<\?xml[^<>]*\?>|<\/(?<close>\w+)\s*>|<(?<open>\w+)(?:\s+[\w:]+="[^"<]*")*\s*(?<empty>\/?)>|(?<text>[^<]+)/y;

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Reads elements, attributes (ignored) and text; null for anything else, a DTD, comment or CDATA included. */
export function parseXml(source: string): XmlElement | null {
  const root: XmlElement = { name: '', children: [], text: '' };
  const open = [root];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < source.length) {
    const groups = TOKEN.exec(source)?.groups;
    const current = open.at(-1);
    if (groups === undefined || current === undefined) return null;
    if (groups['open'] !== undefined) {
      const child: XmlElement = { name: groups['open'], children: [], text: '' };
      current.children.push(child);
      if (groups['empty'] === '') open.push(child);
    } else if (groups['close'] !== undefined) {
      if (open.length === 1 || current.name !== groups['close']) return null;
      open.pop();
    } else {
      current.text += (groups['text'] ?? '').replace(/&(\w+);/g, (all, name) => ENTITIES[name] ?? all);
    }
  }
  const [only] = root.children;
  return open.length === 1 && root.children.length === 1 && root.text.trim() === '' && only ? only : null;
}

/** The only child of that name, or undefined where there is none or more than one. */
export function onlyChild(parent: XmlElement | undefined, name: string): XmlElement | undefined {
  const found = parent?.children.filter((child) => child.name === name) ?? [];
  return found.length === 1 ? found[0] : undefined;
}
