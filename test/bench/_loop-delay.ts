// Preloaded into a process under measurement (`node --import`): its code stays as it is, and it answers over its IPC
// channel what the last stretch of time has cost it. Each answer starts a new stretch.
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

export interface ProcessFigures {
  /** Event-loop delay in ms, without the sampling interval itself. */
  delayP50: number;
  delayP99: number;
  delayMax: number;
  /** Share of the time in which the event loop was busy, 0–1. */
  utilization: number;
  /** CPU time of the whole process with all its threads, ms. */
  cpuMs: number;
  /** bytes */
  rss: number;
  /** The largest `rss` seen, sampled; bytes. */
  peakRss: number;
}

const resolutionMs = 2;
const rssIntervalMs = 100;

const delay = monitorEventLoopDelay({ resolution: resolutionMs });
let peakRss = 0;
let loopBefore = performance.eventLoopUtilization();
let cpuBefore = process.cpuUsage();

function sampleRss(): number {
  const rss = process.memoryUsage.rss();
  peakRss = Math.max(peakRss, rss);
  return rss;
}

function take(): ProcessFigures {
  const rss = sampleRss();
  const { user, system } = process.cpuUsage(cpuBefore);
  const figures = {
    delayP50: toDelay(delay.percentile(50)),
    delayP99: toDelay(delay.percentile(99)),
    delayMax: toDelay(delay.max),
    utilization: performance.eventLoopUtilization(loopBefore).utilization,
    cpuMs: (user + system) / 1000,
    rss,
    peakRss,
  };
  delay.reset();
  peakRss = 0;
  loopBefore = performance.eventLoopUtilization();
  cpuBefore = process.cpuUsage();
  return figures;
}

/** The histogram holds the gaps between two timers, in ns. */
function toDelay(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e6 - resolutionMs);
}

delay.enable();
setInterval(sampleRss, rssIntervalMs).unref();
process.on('message', (message) => {
  // Garbage would count as memory in use: collected before a look at what is left.
  if (message === 'collect') globalThis.gc?.();
  process.send?.(take());
});
// The benchmark is gone: nobody would end this process any more.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
