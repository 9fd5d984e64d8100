/** What AWS publishes about its actions: which there are, and how much each can do. */

/** AWS's access levels; `permissions` changes who may do what. */
const IAM_LEVELS = ['read', 'list', 'write', 'tagging', 'permissions'] as const;
export type IamLevel = (typeof IAM_LEVELS)[number];

export interface IamAction {
  /** `s3:PutObject`, spelt as AWS spells it. */
  readonly name: string;
  readonly service: string;
  readonly level: IamLevel;
  /** False where a policy can only give it on `*`. */
  readonly takesResource: boolean;
}

/** The reference as `scripts/build.mjs` stores it; levels with `_any` hold the actions that take no resource. */
export interface StoredIamActions {
  /** The day on which the data was collected, `2026-01-31`. */
  readonly date: string;
  readonly services: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

/** Case does not count in names, as in IAM. */
export interface IamActions {
  readonly date: string;
  readonly services: readonly string[];
  /** The actions of a service; empty for one that there is not. */
  of(service: string): readonly IamAction[];
  /** The actions that have this name behind the colon: of one service, or of whatever service. */
  called(name: string, service?: string): readonly IamAction[];
  /** The actions that an action of a policy means; `*` and `?` are IAM's wildcards. */
  matching(action: string): readonly IamAction[];
}

/** The stored reference, made answerable. A service is unpacked when it is first asked for: few of 400 are. */
export function iamActionsFrom({ date, services }: StoredIamActions): IamActions {
  const of = remembered((service) => {
    return Object.hasOwn(services, service) ? actionsOf(service, services[service] ?? {}) : [];
  });
  const names = Object.keys(services);
  const called = (name: string, service?: string) =>
    (service === undefined ? names : [service]).flatMap((one) => named(of(one), name));
  const matching = remembered((action) => {
    const [service = '', name] = action.split(':');
    if (name === undefined) return action === '*' ? names.flatMap(of) : [];
    if (!/[*?]/.test(name)) return called(name, service);
    const pattern = name.toLowerCase();
    return of(service).filter((it) => matchesIam(pattern, lowerName(it)));
  });
  return { date, services: names, of, called, matching };
}

function remembered(find: (key: string) => readonly IamAction[]): (key: string) => readonly IamAction[] {
  const seen = new Map<string, readonly IamAction[]>();
  return (key) => {
    const found = seen.get(key) ?? find(key);
    seen.set(key, found);
    return found;
  };
}

function actionsOf(
  service: string,
  byLevel: Readonly<Record<string, readonly string[]>>,
): readonly IamAction[] {
  return IAM_LEVELS.flatMap((level) =>
    [true, false].flatMap((takesResource) =>
      (byLevel[takesResource ? level : `${level}_any`] ?? []).map((name) => ({
        name: `${service}:${name}`,
        service,
        level,
        takesResource,
      })),
    ),
  );
}

function named(actions: readonly IamAction[], name: string): readonly IamAction[] {
  const lower = name.toLowerCase();
  return actions.filter((it) => lowerName(it) === lower);
}

function lowerName({ name, service }: IamAction): string {
  return name.slice(service.length + 1).toLowerCase();
}

/** IAM's `*` and `?`, by a greedy walk that goes back to the last `*` only: at worst the product of both lengths. */
function matchesIam(wanted: string, given: string): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  for (let index = 0; index < given.length; ) {
    if (wanted[at] === '*') {
      star = at;
      resume = index;
      at += 1;
    } else if (wanted[at] === '?' || wanted[at] === given[index]) {
      at += 1;
      index += 1;
    } else if (star >= 0) {
      at = star + 1;
      resume += 1;
      index = resume;
    } else {
      return false;
    }
  }
  return /^\**$/.test(wanted.slice(at));
}
