// Simulated ComfyUIs that differ, in a process of their own: `node live-sims.ts '<options of each as JSON>'`.
import { startSim } from '@comfy-bridge/comfy-sim';
import type { SimOptions } from '@comfy-bridge/comfy-sim';

const options: SimOptions[] = JSON.parse(process.argv[2] ?? '[]');
const sims = await Promise.all(options.map((one) => startSim(one)));
process.stdout.write(`${JSON.stringify({ urls: sims.map(({ url }) => url) })}\n`);
process.once('SIGTERM', () => {
  void Promise.all(sims.map((sim) => sim.close())).then(() => process.disconnect?.());
});
