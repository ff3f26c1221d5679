import { expectTypeOf } from 'vitest';
import { openStoreReader, type RunRow, type RunStatus, type StoreReader, type StoreWriter } from './index.js';

declare const writer: StoreWriter;
declare const run: RunRow;

expectTypeOf(openStoreReader).returns.toEqualTypeOf<StoreReader>();
expectTypeOf<RunStatus>().toEqualTypeOf<'pending' | 'running' | 'finished' | 'failed' | 'pruned'>();

// Reading gives nothing to write with, and nothing that is written to.
// @ts-expect-error a reader does not write
void openStoreReader('store.sqlite').finish;
// @ts-expect-error readonly
run.status = 'finished';
// @ts-expect-error readonly
run.metrics['test/auc'] = 1;

// What may be missing says so.
// @ts-expect-error a run that does not exist is null
void openStoreReader('store.sqlite').run(1).status;
// @ts-expect-error a run that is no longer pending gives no claim
void writer.claim(1, { host: '', pid: 1, environment: null }).attemptId;
// @ts-expect-error an attempt ends as failed or lost
writer.fail(1, { error: '', status: 'finished', retry: false });
