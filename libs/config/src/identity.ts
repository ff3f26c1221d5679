import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { TrialConfig } from './contract.js';

/** What determines a trial's result besides its config. */
export interface IdentityContext {
  /** Content of the data: sha256 of inputs and options. */
  readonly fingerprint: string;
  /** The engine that `auto` was resolved to, and its kernel build. */
  readonly engine: string;
  readonly build: string;
  /** `model/dssm` -> 1 ... of every definition the trial uses. */
  readonly revisions: Readonly<Record<string, number>>;
  /** What makes its numbers comparable with others'. A plain JSON object. */
  readonly protocol?: object;
  /** Identity of the trial that teaches it; needed where the config has a teacher. */
  readonly teacher?: string;
}

/**
 * The identity of a trial: sha256 (hex) over the RFC 8785 canonical JSON of everything that determines its result but the seed.
 *
 * Names, report columns, the order of keys, comments and formatting are no part of it; every key of the config, the engine that
 * computes, the data, the revisions, and the identity of the trial that teaches it are.
 *
 * @throws {Error} when there is a number that JSON does not have, or a teacher without an identity
 */
export function trialIdentity(config: TrialConfig, context: IdentityContext): string {
  const { engine, fingerprint, build, revisions, protocol = null, teacher } = context;
  const { teacher: taught, ...own } = config;
  if ((taught === undefined) !== (teacher === undefined))
    throw new Error('trialIdentity: name the teacher of the trial');
  const known = teacher === undefined ? {} : { teacher };
  const text = canonicalize({
    config: { ...own, engine, ...known },
    fingerprint,
    build,
    revisions,
    protocol,
  }) as string;
  return createHash('sha256').update(text).digest('hex');
}
