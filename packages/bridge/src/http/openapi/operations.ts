import { bridgeJobOperations } from './bridge-jobs.ts';
import { bridgeWorkflowOperations, groupOperations } from './bridge-workflows.ts';
import { compatOperations } from './compat.ts';
import type { Operation } from './operation.ts';
import { jobInputOperations } from './job-inputs.ts';
import { linkOperations } from './links.ts';
import { auditOperations, keyOperations, ticketOperations } from './keys.ts';
import { operatorOperations } from './operator.ts';
import { pageOperations } from './page.ts';
import { publishOperations } from './publish-workflows.ts';
import { serviceOperations } from './service.ts';
import { socketOperations } from './socket.ts';
import { uploadOperations } from './uploads.ts';
import { v2AssetOperations } from './v2-assets.ts';
import { v2JobOperations } from './v2-jobs.ts';

/** Everything that the bridge serves, beside one operation for each published workflow. A test holds it to the routers. */
export const operations: readonly Operation[] = [
  ...bridgeWorkflowOperations,
  ...groupOperations,
  ...v2JobOperations,
  ...bridgeJobOperations,
  ...jobInputOperations,
  ...linkOperations,
  ...v2AssetOperations,
  ...uploadOperations,
  ...compatOperations,
  ...socketOperations,
  ...operatorOperations,
  ...publishOperations,
  ...keyOperations,
  ...auditOperations,
  ...ticketOperations,
  ...pageOperations,
  ...serviceOperations,
];
