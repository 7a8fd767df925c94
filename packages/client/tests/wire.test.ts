import type {
  BridgeJob,
  JobGroupView,
  V2Asset,
  V2Job,
  WebhookRequest,
  WorkflowDetail,
  WorkflowEntry,
} from '@comfy-bridge/protocol';
import { expectTypeOf, test } from 'vitest';

import type {
  Asset,
  Group,
  Job,
  Webhook,
  WorkflowDetail as Detail,
  WorkflowEntry as Entry,
} from '../src/wire.ts';

/** Checked by the type check: what the server may send is what the client reads. */
test('the types of the client are those of the server', () => {
  expectTypeOf<V2Job>().toExtend<Job>();
  expectTypeOf<Job>().toExtend<V2Job>();
  expectTypeOf<BridgeJob>().toExtend<Job>();
  expectTypeOf<V2Asset>().toExtend<Asset>();
  expectTypeOf<Asset>().toExtend<V2Asset>();
  expectTypeOf<JobGroupView>().toExtend<Group>();
  expectTypeOf<Group>().toExtend<JobGroupView>();
  expectTypeOf<WorkflowEntry>().toExtend<Entry>();
  expectTypeOf<Entry>().toExtend<WorkflowEntry>();
  expectTypeOf<WorkflowDetail>().toExtend<Detail>();
  expectTypeOf<Webhook>().toExtend<WebhookRequest>();
  expectTypeOf<WebhookRequest>().toExtend<Webhook>();
});
