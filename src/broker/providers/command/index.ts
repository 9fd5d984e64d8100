/**
 * Provider `command`: a program of the map prints the lease, others end it and look at it. The one provider that starts
 * a process beside the command; the records of its runs say so.
 */
import { CapwrapError } from '../../../errors.ts';
import type { CommandConfig } from '../../../policy/providers/command.ts';
import { endLease } from '../../end-lease.ts';
import type { IssueRequest, Lease, LeaseHandle, Provider } from '../../provider.ts';
import { type CommandLease, commandLease } from './command-lease.ts';
import { endWith, probeWith } from './end-and-probe.ts';
import { assertPrinted } from './issue-fault.ts';
import { HANDLE_LEASE_ID, readLease } from './lease-document.ts';
import { differs, undelivered } from './lease-fault.ts';
import { callProgram } from './program.ts';

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
