/** Faults that a test or a curious reader can queue: what a network and a bad day at the issuer look like. */
import type { Service } from './wire.ts';

type FaultEffect =
  /** Nothing but the delay. */
  | { readonly kind: 'slow' }
  /** The service's own error document. The call has no effect. */
  | { readonly kind: 'error'; readonly status: number; readonly code: string; readonly message?: string }
  /** Any answer instead of the service's. The call has no effect. */
  | {
      readonly kind: 'body';
      readonly status: number;
      readonly body: string | Buffer;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** A gateway's page instead of an answer. */
  | { readonly kind: 'html' }
  /** An answer of so many bytes that says nothing. */
  | { readonly kind: 'huge'; readonly bytes: number }
  | { readonly kind: 'redirect'; readonly to: string }
  /** The connection is cut, before the call or after it took effect. */
  | { readonly kind: 'reset'; readonly when: 'before' | 'after-effect' }
  /** No answer until the sandbox stops. */
  | { readonly kind: 'hang' }
  /** The call takes effect; the connection is cut in the middle of the answer. */
  | { readonly kind: 'truncated' }
  /** The call takes effect; these elements of the XML answer get another text, or are left out (null). */
  | { readonly kind: 'rewrite'; readonly elements: Readonly<Record<string, string | null>> }
  /** The call takes effect; the answer carries this `Date`, or none. */
  | { readonly kind: 'date'; readonly date: string | null };

export type Fault = FaultEffect & {
  /** Which calls it meets; absent means any. */
  readonly service?: Service;
  readonly action?: string;
  /** How many calls it meets, 1 unless said; `Infinity` repeats it. */
  readonly times?: number;
  /** Milliseconds that pass first. */
  readonly delayMs?: number;
};

/** Faults in the order pushed; each call takes the first one that fits it. */
export class FaultQueue {
  #pending: { fault: Fault; left: number }[] = [];

  push(...faults: readonly Fault[]): void {
    for (const fault of faults) this.#pending.push({ fault, left: fault.times ?? 1 });
  }

  clear(): void {
    this.#pending = [];
  }

  /** How many faults have not been used up. */
  get size(): number {
    return this.#pending.length;
  }

  /** Takes the fault for one call, if there is one. */
  take(service: Service, action: string): Fault | undefined {
    const found = this.#pending.find(
      ({ fault }) =>
        (fault.service === undefined || fault.service === service) &&
        (fault.action === undefined || fault.action === action),
    );
    if (found === undefined) return undefined;
    found.left -= 1;
    if (found.left <= 0) this.#pending = this.#pending.filter((one) => one !== found);
    return found.fault;
  }
}

/** Gives elements of an XML text another content, or removes them. */
export function rewriteElements(xml: string, elements: Readonly<Record<string, string | null>>): string {
  return Object.entries(elements).reduce(
    (text, [name, content]) =>
      text.replaceAll(new RegExp(`<${name}>[^<]*</${name}>`, 'g'), () =>
        content === null ? '' : `<${name}>${content}</${name}>`,
      ),
    xml,
  );
}
