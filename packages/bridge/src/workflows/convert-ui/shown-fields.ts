/**
 * Fields that the editor adds to a node to show something with. They are sent, empty, and no machine reads them; such a
 * node may save more values than its inputs have. As in editor 1.27; later ones leave some of them out.
 */
const shownFields: ReadonlyMap<string, string> = new Map([
  ['LoadAudio', 'audioUI'],
  ['SaveAudio', 'audioUI'],
  ['SaveAudioMP3', 'audioUI'],
  ['SaveAudioOpus', 'audioUI'],
  ['PreviewAudio', 'audioUI'],
  ['PreviewAny', 'preview'],
  ['Preview3D', 'image'],
  ['Preview3DAnimation', 'image'],
  ['SaveGLB', 'image'],
]);

/** The name of the field that a class is given; undefined for most. */
export function shownField(classType: string): string | undefined {
  return shownFields.get(classType);
}
