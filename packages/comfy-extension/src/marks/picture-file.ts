import { collectOutputs } from './collect-marks.ts';
import type { GraphLike } from './graph-types.ts';
import { modeProblem } from './mark-problems.ts';
import { classOf, listPlaces } from './walk-graph.ts';

/** Nodes that make one picture of each image that they get. */
const endings: Record<string, string> = {
  SaveImage: '.png',
  PreviewImage: '.png',
  SaveAnimatedPNG: '.png',
  SaveAnimatedWEBP: '.webp',
};

/**
 * Where a caller may save the result, when it is one picture as far as the graph shows it: `lighthouse.png`. Undefined where
 * there are several results, or others.
 */
export function pictureFile(graph: GraphLike, alias: string): string | undefined {
  const marked = collectOutputs(graph).filter(({ problems }) => problems.length === 0);
  const nodes =
    marked.length > 0
      ? marked.map(({ node }) => node)
      : listPlaces(graph)
          .filter(
            (place) => /^(?:Save|Preview)/.test(classOf(place.node)) && modeProblem(place) === undefined,
          )
          .map(({ node }) => node);
  const [only, ...others] = nodes;
  if (only === undefined || others.length > 0) return undefined;
  const ending = Object.hasOwn(endings, classOf(only)) ? endings[classOf(only)] : undefined;
  // Neither a path nor an option of curl.
  const name = alias.replaceAll(/[^\p{L}\p{M}\p{N}._-]+/gu, '_').replace(/^[.-]+/, '');
  return ending === undefined ? undefined : `${name || 'result'}${ending}`;
}
