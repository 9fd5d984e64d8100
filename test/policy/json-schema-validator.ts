/** The few keywords of JSON Schema that the shipped schemas use; an unknown one is an error, so none is passed over. */

type Schema = Readonly<Record<string, unknown>>;

const SILENT = ['$schema', '$defs', 'title', 'description', 'examples'];

/** True where `value` is valid under `schema`. */
export function accepts(schema: Schema, value: unknown, root: Schema = schema): boolean {
  return Object.entries(schema).every(([keyword, argument]) => {
    if (SILENT.includes(keyword)) return true;
    const check = KEYWORDS[keyword];
    if (check === undefined) throw new Error(`unknown keyword ${keyword}`);
    return check(argument as never, value, schema, root);
  });
}

type Check = (argument: never, value: unknown, schema: Schema, root: Schema) => boolean;

const KEYWORDS: Readonly<Record<string, Check>> = {
  $ref: (pointer: string, value, _, root) => {
    const target = pointer
      .slice(2)
      .split('/')
      .reduce<unknown>((at, key) => (at as Schema)[key], root);
    return accepts(target as Schema, value, root);
  },
  type: (types: string | readonly string[], value) => [types].flat().some((type) => isOfType(type, value)),
  const: (wanted: unknown, value) => wanted === value,
  enum: (wanted: readonly unknown[], value) => wanted.includes(value),
  anyOf: (options: readonly Schema[], value, _, root) =>
    options.some((option) => accepts(option, value, root)),
  oneOf: (options: readonly Schema[], value, _, root) =>
    options.filter((option) => accepts(option, value, root)).length === 1,
  properties: (properties: Readonly<Record<string, Schema>>, value, _, root) =>
    !isMapping(value) ||
    Object.entries(properties).every(([key, child]) => !(key in value) || accepts(child, value[key], root)),
  required: (keys: readonly string[], value) => !isMapping(value) || keys.every((key) => key in value),
  additionalProperties: (rest: Schema | false, value, schema, root) =>
    !isMapping(value) ||
    Object.entries(value).every(
      ([key, item]) =>
        key in ((schema['properties'] ?? {}) as object) || (rest !== false && accepts(rest, item, root)),
    ),
  propertyNames: (names: Schema, value, _, root) =>
    !isMapping(value) || Object.keys(value).every((key) => accepts(names, key, root)),
  minProperties: (least: number, value) => !isMapping(value) || Object.keys(value).length >= least,
  maxProperties: (most: number, value) => !isMapping(value) || Object.keys(value).length <= most,
  items: (item: Schema, value, _, root) =>
    !Array.isArray(value) || value.every((each) => accepts(item, each, root)),
  minItems: (least: number, value) => !Array.isArray(value) || value.length >= least,
  maxItems: (most: number, value) => !Array.isArray(value) || value.length <= most,
  minLength: (least: number, value) => typeof value !== 'string' || value.length >= least,
  maxLength: (most: number, value) => typeof value !== 'string' || value.length <= most,
  pattern: (source: string, value) => typeof value !== 'string' || new RegExp(source, 'u').test(value),
  minimum: (least: number, value) => typeof value !== 'number' || value >= least,
  maximum: (most: number, value) => typeof value !== 'number' || value <= most,
};

function isOfType(type: string, value: unknown): boolean {
  switch (type) {
    case 'integer':
      return Number.isInteger(value);
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isMapping(value);
    case 'null':
      return value === null;
    default:
      return typeof value === type;
  }
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
