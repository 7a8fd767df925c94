import type { Graph } from './_comfy-server.ts';

/** A number that no other run used, so that nothing is cached. */
export function fresh(): number {
  return Math.floor(Math.random() * 0xffffff);
}

/** An empty picture of some colour, saved. */
export function plain(colour = fresh(), side = 32): Graph {
  return {
    '1': { class_type: 'EmptyImage', inputs: { width: side, height: side, batch_size: 1, color: colour } },
    '2': { class_type: 'ImageInvert', inputs: { image: ['1', 0] } },
    '3': { class_type: 'SaveImage', inputs: { images: ['2', 0], filename_prefix: 'contract' } },
  };
}

/** Works for some seconds on any machine, in many short nodes, so that it can be interrupted between any two. */
export function slow(nodes = 60): Graph {
  const graph: Graph = {
    '1': { class_type: 'EmptyImage', inputs: { width: 1024, height: 1024, batch_size: 1, color: fresh() } },
  };
  for (let at = 0; at < nodes; at += 1) {
    const sigma = 0.1 + Math.round(Math.random() * 900) / 100;
    graph[`b${at}`] = {
      class_type: 'ImageBlur',
      inputs: { image: [at === 0 ? '1' : `b${at - 1}`, 0], blur_radius: 11, sigma },
    };
  }
  graph['3'] = {
    class_type: 'SaveImage',
    inputs: { images: [`b${nodes - 1}`, 0], filename_prefix: 'contract' },
  };
  return graph;
}

export function traceSteps(inputs: { steps: number; seconds: number; preview?: boolean }): Graph {
  return {
    '1': { class_type: 'EmptyImage', inputs: { width: 32, height: 32, batch_size: 1, color: 7 } },
    '2': { class_type: 'TraceStep', inputs: { preview: false, ...inputs, image: ['1', 0], seed: fresh() } },
    '3': { class_type: 'SaveImage', inputs: { images: ['2', 0], filename_prefix: 'contract' } },
  };
}
