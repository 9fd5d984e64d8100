/** The form parameters of STS calls, and every limit that its service model puts on them. */
import { type Call, Refusal } from './wire.ts';

interface Limit {
  readonly required?: true;
  readonly min?: number;
  readonly max?: number;
  /** As the service model writes it. */
  readonly pattern?: string;
}

const NAME = '[\\w+=,.@-]*';
const POLICY: Limit = { min: 1, max: 2048, pattern: '[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+' };
const ROLE_ARN: Limit = { required: true, min: 20, max: 2048 };
const SESSION_NAME: Limit = { required: true, min: 2, max: 64, pattern: NAME };

/** Parameters by action. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
const PARAMETERS: Readonly<Record<string, Readonly<Record<string, Limit>>>> = {
  AssumeRole: {
    RoleArn: ROLE_ARN,
    RoleSessionName: SESSION_NAME,
    DurationSeconds: {},
    Policy: POLICY,
    SourceIdentity: { min: 2, max: 64, pattern: NAME },
    ExternalId: { min: 2, max: 1224, pattern: '[\\w+=,.@:\\/-]*' },
    SerialNumber: { min: 9, max: 256, pattern: '[\\w+=/:,.@-]*' },
    TokenCode: { min: 6, max: 6, pattern: '[\\d]*' },
  },
  AssumeRoleWithWebIdentity: {
    RoleArn: ROLE_ARN,
    RoleSessionName: SESSION_NAME,
    DurationSeconds: {},
    Policy: POLICY,
    WebIdentityToken: { required: true, min: 4, max: 20_000 },
  },
  GetCallerIdentity: {},
};

const LISTS: Readonly<Record<string, RegExp>> = {
  AssumeRole:
    /^(?:Tags\.member\.[1-9]\d*\.(?:Key|Value)|TransitiveTagKeys\.member\.[1-9]\d*|PolicyArns\.member\.[1-9]\d*\.arn)$/,
  AssumeRoleWithWebIdentity: /^PolicyArns\.member\.[1-9]\d*\.arn$/,
};

export interface StsForm {
  readonly action: string;
  /** Every parameter but Action and Version. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** The name of the operation that a call asks for, as it says; empty where it says none. */
export function stsAction(call: Call): string {
  return new URLSearchParams(call.body.toString('latin1')).get('Action') ?? '';
}

/** Reads and checks the form. Throws the Refusal that STS answers with. */
export function readForm(call: Call): StsForm {
  const type = call.headers['content-type'] ?? '';
  const plain = call.method === 'POST' && call.path === '/' && call.query.length === 0;
  if (!plain || !type.startsWith('application/x-www-form-urlencoded')) {
    throw new Refusal(400, 'InvalidAction', 'The sandbox takes a form by POST to / only.');
  }
  const fields = [...new URLSearchParams(call.body.toString('utf8'))];
  const parameters = new Map(fields);
  if (parameters.size < fields.length) throw invalid('A parameter was given more than once.');
  const action = parameters.get('Action') ?? '';
  const version = parameters.get('Version') ?? 'NO_VERSION_SPECIFIED';
  const limits = Object.hasOwn(PARAMETERS, action) ? PARAMETERS[action] : undefined;
  if (action === '') throw new Refusal(400, 'MissingAction', 'Missing Action');
  if (limits === undefined || version !== '2011-06-15') {
    throw new Refusal(400, 'InvalidAction', `Could not find operation ${action} for version ${version}`);
  }
  parameters.delete('Action');
  parameters.delete('Version');
  for (const name of parameters.keys()) {
    if (!Object.hasOwn(limits, name) && !LISTS[action]?.test(name)) {
      throw invalid(`Unknown parameter: ${name}`);
    }
  }
  checkLimits(limits, parameters);
  const roleArn = parameters.get('RoleArn');
  if (roleArn !== undefined && !/^arn:aws[\w-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/.test(roleArn)) {
    throw invalid(`${roleArn} is invalid`);
  }
  return { action, parameters };
}

/** All broken limits in one message, as AWS words them. */
function checkLimits(limits: Readonly<Record<string, Limit>>, parameters: ReadonlyMap<string, string>): void {
  const faults = Object.entries(limits).flatMap(([name, limit]) => {
    const value = parameters.get(name);
    const shown =
      name === 'WebIdentityToken' ? 'Value' : `Value ${value === undefined ? 'null' : `'${value}'`}`;
    return brokenLimits(limit, value).map(
      (rule) =>
        `${shown} at '${name[0]?.toLowerCase()}${name.slice(1)}' failed to satisfy constraint: Member must ${rule}`,
    );
  });
  refuseFaults(faults);
}

function brokenLimits(
  { required, min = 0, max = Number.POSITIVE_INFINITY, pattern }: Limit,
  value?: string,
): string[] {
  if (value === undefined) return required ? ['not be null'] : [];
  return [
    ...(value.length < min ? [`have length greater than or equal to ${min}`] : []),
    ...(value.length > max ? [`have length less than or equal to ${max}`] : []),
    ...(pattern !== undefined && !new RegExp(`^(?:${pattern})$`).test(value)
      ? [`satisfy regular expression pattern: ${pattern}`]
      : []),
  ];
}

function refuseFaults(faults: readonly string[]): void {
  if (faults.length === 0) return;
  const count = `${faults.length} validation error${faults.length > 1 ? 's' : ''} detected`;
  throw invalid(`${count}: ${faults.join('; ')}`);
}

/** `DurationSeconds`: 900 to 43200, 3600 where it isn't given, never above the role's maximum or an hour in a chain. */
export function readDuration(
  parameters: ReadonlyMap<string, string>,
  roleMaximum: number,
  chained: boolean,
): number {
  const text = parameters.get('DurationSeconds') ?? '3600';
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(seconds)) throw invalid(`Value '${text}' at 'durationSeconds' is not an integer`);
  const constraint = seconds < 900 ? 'greater than or equal to 900' : 'less than or equal to 43200';
  if (seconds < 900 || seconds > 43_200) {
    refuseFaults([
      `Value '${text}' at 'durationSeconds' failed to satisfy constraint: Member must have value ${constraint}`,
    ]);
  }
  if (chained && seconds > 3600) {
    throw invalid(
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    );
  }
  if (seconds > roleMaximum) {
    throw invalid('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
  }
  return seconds;
}

/** The values of a list in order; the numbering must be 1, 2, 3 … without a gap. */
export function members(
  parameters: ReadonlyMap<string, string>,
  list: string,
  field: string | null,
): readonly string[] {
  const suffix = field === null ? '' : `.${field}`;
  const found: string[] = [];
  for (let value: string | undefined; ; found.push(value)) {
    value = parameters.get(`${list}.member.${found.length + 1}${suffix}`);
    if (value === undefined) break;
  }
  const given = [...parameters.keys()].filter((name) => name.startsWith(`${list}.`) && name.endsWith(suffix));
  if (given.length !== found.length) {
    throw invalid(`The members of ${list} are not numbered from 1 without a gap.`);
  }
  return found;
}

/** A `ValidationError`. */
export function invalid(message: string): Refusal {
  return new Refusal(400, 'ValidationError', message);
}
