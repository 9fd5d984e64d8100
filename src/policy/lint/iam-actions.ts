/** What AWS publishes about its actions: which there are, and how much each can do. */

/** AWS's access levels; `permissions` changes who may do what. */
export const IAM_LEVELS = ['read', 'list', 'write', 'tagging', 'permissions'] as const;
export type IamLevel = (typeof IAM_LEVELS)[number];

export interface IamAction {
  /** `s3:PutObject`, spelt as AWS spells it. */
  readonly name: string;
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

export interface IamActions {
  readonly date: string;
  readonly services: readonly string[];
  /** The actions of a service; empty for one that there is not. */
  of(service: string): readonly IamAction[];
  /** The actions that a policy's action means, `*` and `?` being IAM's wildcards; case does not count, as in IAM. */
  matching(action: string): readonly IamAction[];
}

/** The stored reference, made answerable. A service's actions are put together when it is first asked for. */
export function iamActionsFrom({ date, services }: StoredIamActions): IamActions {
  const names = Object.keys(services);
  const made = new Map<string, readonly IamAction[]>();
  const of = (service: string): readonly IamAction[] => {
    const known = made.get(service);
    if (known !== undefined) return known;
    const actions = Object.hasOwn(services, service) ? actionsOf(service, services[service] ?? {}) : [];
    made.set(service, actions);
    return actions;
  };
  return {
    date,
    services: names,
    of,
    matching(action) {
      const [service = '', wanted] = action.split(':');
      if (wanted === undefined) return action === '*' ? names.flatMap(of) : [];
      return of(service).filter(({ name }) => matchesIam(wanted, name.slice(service.length + 1)));
    },
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
        level,
        takesResource,
      })),
    ),
  );
}

/** IAM's `*` and `?`, by a greedy walk that goes back to the last `*` only: at worst the product of both lengths. */
function matchesIam(pattern: string, value: string): boolean {
  const wanted = pattern.toLowerCase();
  const given = value.toLowerCase();
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
