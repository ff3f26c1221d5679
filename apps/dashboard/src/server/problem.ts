import type { ApiProblem } from '../contract/payloads.js';

const STATUS = {
  'bad-request': 400,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  'too-large': 413,
  internal: 500,
  'no-store': 503,
  unavailable: 503,
} as const;

/** What a request is refused with; the status follows from the code. */
export class RequestProblem extends Error {
  readonly code: ApiProblem['error']['code'];

  constructor(code: ApiProblem['error']['code'], message: string) {
    super(message);
    this.name = 'RequestProblem';
    this.code = code;
  }

  get status(): number {
    return STATUS[this.code];
  }

  toJSON(): ApiProblem {
    return { error: { code: this.code, message: this.message } };
  }
}
