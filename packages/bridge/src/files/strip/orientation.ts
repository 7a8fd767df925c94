/** How a picture is to be turned, as EXIF numbers it: 1 (or nothing) as it is, up to 8. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

const orientationTag = 0x0112;
const shortType = 3;

/** Reads the orientation out of EXIF data, with or without its `Exif\0\0`; undefined where it says none that counts. */
export function readExifOrientation(exif: Buffer): Orientation | undefined {
  const tiff = exif.toString('latin1', 0, 6) === 'Exif\0\0' ? exif.subarray(6) : exif;
  if (tiff.length < 8) return undefined;
  const order = tiff.toString('latin1', 0, 2);
  if (order !== 'II' && order !== 'MM') return undefined;
  const isLittle = order === 'II';
  const read16 = (at: number): number =>
    at + 2 > tiff.length ? 0 : isLittle ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at);
  const directory = isLittle ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4);
  if (directory < 8 || directory + 2 > tiff.length) return undefined;
  const count = read16(directory);
  for (let entry = 0; entry < count; entry++) {
    const at = directory + 2 + entry * 12;
    if (at + 12 > tiff.length) return undefined;
    if (read16(at) === orientationTag && read16(at + 2) === shortType) return toOrientation(read16(at + 8));
  }
  return undefined;
}

/** Some programs say it in XMP alone, and readers go by it then. */
export function readXmpOrientation(xmp: Buffer): Orientation | undefined {
  const [, digit] = /tiff:Orientation(?:="|>)([0-9])/.exec(xmp.toString('latin1')) ?? [];
  return digit === undefined ? undefined : toOrientation(Number(digit));
}

function toOrientation(value: number): Orientation | undefined {
  switch (value) {
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
    case 7:
    case 8:
      return value;
    default:
      return undefined;
  }
}

/** EXIF data that says how the picture is to be turned and nothing else; undefined where it need not be turned. */
export function writeOrientation(orientation: Orientation | undefined): Buffer | undefined {
  if (orientation === undefined || orientation === 1) return undefined;
  const tiff = Buffer.alloc(26);
  tiff.write('MM\0\x2a', 0, 'latin1');
  tiff.writeUInt32BE(8, 4);
  tiff.writeUInt16BE(1, 8);
  tiff.writeUInt16BE(orientationTag, 10);
  tiff.writeUInt16BE(shortType, 12);
  tiff.writeUInt32BE(1, 14);
  tiff.writeUInt16BE(orientation, 18);
  return tiff;
}
