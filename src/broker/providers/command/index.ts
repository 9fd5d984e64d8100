/**
 * Provider `command`: a program of the map prints the lease, others end it and look at it. The one provider that starts
 * a process beside the command; the records of its runs say so.
 */
import { CapwrapError } from '../../../errors.ts';
import type { CommandConfig } from '../../../policy/providers/command.ts';
import { endLease } from '../../end-lease.ts';
import type {
  BrokerContext,
  EndAnswer,
  IssueRequest,
  Lease,
  LeaseFault,
  LeaseHandle,
  ProbeAnswer,
  Provider,
} from '../../provider.ts';
import { type CommandLease, commandLease } from './command-lease.ts';
import { assertPrinted } from './issue-fault.ts';
import { HANDLE_LEASE_ID, parseDocument, readLease } from './lease-document.ts';
import { callProgram, faultWords, nameOf } from './program.ts';

export const command: Provider = {
  async issue(request, context) {
    const config = configOf(request);
    const timeoutMs = Math.min(config.timeout, request.ttl) * 1000;
    const variables = variablesOf(request);
    const call = { argv: config.argv, config, input: requestDocument(request, config), variables, timeoutMs };
    const ended = await callProgram(call, context);
    const document = assertPrinted(ended, config, request, timeoutMs);
    return commandLease(request, config, document, readLease(document, context), variables);
  },

  minimumLife: 0,

  faultOf(lease, request) {
    const { config, printed } = own(lease);
    return printed.fault ?? differs(printed.principal, printed.scope, config) ?? undelivered(lease, request);
  },

  async end(lease, context) {
    const { config } = own(lease);
    if (config.end === null) return { kind: 'not_revocable', did: null };
    return endWith(config.end, own(lease), context);
  },

  async probe(lease, context) {
    const { config } = own(lease);
    return config.probe === null || config.end === null ? null : probeWith(config.probe, own(lease), context);
  },

  settling: [200, 500, 1000, 2000],

  async endByHandle(handle, config, context) {
    if (config.provider !== 'command')
      throw new CapwrapError('ERR_INTERNAL', `"${config.provider}" was handed to another provider's module`);
    return endLease(command, leaseOfHandle(handle, config), context);
  },

  preview(request) {
    const config = configOf(request);
    return {
      argv: config.argv,
      end: config.end,
      probe: config.probe,
      folder: config.folder,
      variables: ['PATH', ...config.programEnv.pass, ...Object.keys(config.programEnv.set), ...OWN_VARIABLES],
      timeout_seconds: config.timeout,
      request: requestDocument(request, config),
    };
  },
};

function configOf({ capability }: IssueRequest): CommandConfig {
  if (capability.config.provider === 'command') return capability.config;
  throw new CapwrapError('ERR_INTERNAL', `"${capability.name}" was handed to another provider's module`);
}

/** A lease that this module made. */
function own(lease: Lease): CommandLease {
  if ('printed' in lease) return lease as CommandLease;
  throw new CapwrapError('ERR_INTERNAL', `lease "${lease.leaseId}" was handed to another provider's module`);
}

/** What the program is asked for, on its standard input. */
function requestDocument(request: IssueRequest, { scope, principal }: CommandConfig) {
  return {
    capwrap_request: 1,
    lease_id: request.leaseId,
    capability: request.capability.name,
    ttl_seconds: request.ttl,
    deadline: request.deadline.toISOString(),
    scope,
    principal,
    actor: request.actor,
    task_id: request.taskId,
    approval: request.approval,
  };
}

function variablesOf({ leaseId, capability, ttl, deadline }: IssueRequest): Readonly<Record<string, string>> {
  return {
    CAPWRAP_LEASE_ID: leaseId,
    CAPWRAP_CAPABILITY: capability.name,
    CAPWRAP_TTL_SECONDS: String(ttl),
    CAPWRAP_DEADLINE: deadline.toISOString(),
  };
}

const OWN_VARIABLES = ['CAPWRAP_LEASE_ID', 'CAPWRAP_CAPABILITY', 'CAPWRAP_TTL_SECONDS', 'CAPWRAP_DEADLINE'];

function differs(
  principal: string | null,
  scope: readonly string[] | null,
  config: CommandConfig,
): LeaseFault | null {
  if (config.principal !== null && principal !== config.principal) {
    const whom = principal === null ? 'without naming its principal' : `for "${principal}"`;
    return {
      code: 'ERR_PROVIDER_WRONG_PRINCIPAL',
      text: `issued a credential ${whom}, not for "${config.principal}"`,
      hint: 'compare principal in the map with what the program prints',
    };
  }
  const wider = scope?.filter((word) => !config.scope.includes(word)) ?? [];
  if (wider.length === 0) return null;
  return {
    code: 'ERR_PROVIDER_SCOPE',
    text: `issued a credential that may do more than was asked for: ${wider.slice(0, 8).join(', ')}`,
    hint: 'compare scope in the map with what the program prints',
  };
}

/** Only keys of AWS have standard names; anything else would reach nobody. */
function undelivered(lease: Lease, { capability }: IssueRequest): LeaseFault | null {
  const named = [capability.inject, capability.files, lease.defaultInject].some(
    (names) => Object.keys(names).length > 0,
  );
  if (named) return null;
  const [first = 'token'] = Object.keys(lease.values);
  return {
    code: 'ERR_MAP_INVALID',
    text: 'printed values that have no standard names, and the map hands none of them to the command',
    hint: `inject: {NAME: ${first}}`,
  };
}

async function endWith(
  argv: readonly string[],
  lease: CommandLease,
  context: BrokerContext,
): Promise<EndAnswer> {
  const ended = await callProgram(callFor(argv, lease), context);
  const did = `${nameOf(argv)} ${faultWords(ended, null) ?? 'ended with status 0'}`;
  if (ended.kind !== 'exited' || ended.status !== 0) return { kind: 'failed', did, error: did };
  const answer = ended.output.toString().trim() === '' ? { answer: 'ended' } : parseDocument(ended.output);
  switch (answer?.['answer']) {
    case 'ended':
      return { kind: 'ended', did };
    case 'not_revocable':
      return { kind: 'not_revocable', did: `${nameOf(argv)} says that nothing can end it` };
    default:
      return { kind: 'failed', did, error: `${nameOf(argv)} printed something that is no answer` };
  }
}

const STATES = ['alive', 'dead', 'expired', 'unknown'] as const;

async function probeWith(
  argv: readonly string[],
  lease: CommandLease,
  context: BrokerContext,
): Promise<ProbeAnswer> {
  const ended = await callProgram(callFor(argv, lease), context);
  const fault = faultWords(ended, null);
  if (ended.kind !== 'exited' || fault !== null) return { state: 'unknown', saw: `${nameOf(argv)} ${fault}` };
  const said = parseDocument(ended.output)?.['state'];
  const state = STATES.find((one) => one === said);
  if (state === undefined) return { state: 'unknown', saw: `${nameOf(argv)} printed no state` };
  return { state, saw: `${nameOf(argv)} says ${state}` };
}

/** A program gets back what it printed; where only the handle is left, that. */
function callFor(argv: readonly string[], { leaseId, document, handle, config, variables }: CommandLease) {
  const input = { capwrap_end: 1, lease_id: leaseId, lease: document, handle };
  return { argv, config, input, variables, timeoutMs: null };
}

/** What is left of a lease whose run has died. */
function leaseOfHandle(handle: LeaseHandle, config: CommandConfig): CommandLease {
  const { [HANDLE_LEASE_ID]: leaseId = '', ...rest } = handle;
  return {
    leaseId,
    provider: 'command',
    values: {},
    defaultInject: {},
    expiresAt: new Date(8_640_000_000_000_000), // not known here
    principal: 'unknown',
    scope: config.scope,
    facts: {},
    handle: rest,
    warnings: [],
    config,
    document: null,
    printed: readLease({}, { registerSecret: () => undefined }),
    variables: { CAPWRAP_LEASE_ID: leaseId },
  };
}
