import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** A self-signed certificate for 127.0.0.1 and localhost, made anew at each start: kubectl sends no token without TLS. */
export function selfSignedCertificate(now = new Date()): { key: string; cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const later = new Date(now.getTime() + 30 * 86_400_000);
  const name = sequence(set(sequence(oid(COMMON_NAME), element(0x0c, Buffer.from('kascade demo')))));
  const serial = randomBytes(8);
  serial[0] = 0x01;
  const toBeSigned = sequence(
    element(0xa0, element(0x02, Buffer.from([2]))),
    element(0x02, serial),
    sequence(oid(ECDSA_WITH_SHA256)),
    name,
    sequence(utcTime(now), utcTime(later)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    element(0xa3, sequence(alternativeNames(), certificateAuthority())),
  );
  const signature = sign('sha256', toBeSigned, privateKey);
  const bits = element(0x03, Buffer.concat([Buffer.from([0]), signature]));
  const certificate = sequence(toBeSigned, sequence(oid(ECDSA_WITH_SHA256)), bits);
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
  };
}

/** Object identifiers, in their binary form. */
const COMMON_NAME = '550403';
const ECDSA_WITH_SHA256 = '2a8648ce3d040302';
const SUBJECT_ALT_NAME = '551d11';
const BASIC_CONSTRAINTS = '551d13';

function alternativeNames(): Buffer {
  const names = sequence(element(0x82, Buffer.from('localhost')), element(0x87, Buffer.from([127, 0, 0, 1])));
  return sequence(oid(SUBJECT_ALT_NAME), element(0x04, names));
}

function certificateAuthority(): Buffer {
  return sequence(oid(BASIC_CONSTRAINTS), element(0x04, sequence(element(0x01, Buffer.from([0xff])))));
}

/** One DER element: tag, length, content. */
function element(tag: number, content: Buffer): Buffer {
  const size = content.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

function sequence(...parts: Buffer[]): Buffer {
  return element(0x30, Buffer.concat(parts));
}

function set(part: Buffer): Buffer {
  return element(0x31, part);
}

function oid(hex: string): Buffer {
  return element(0x06, Buffer.from(hex, 'hex'));
}

function utcTime(time: Date): Buffer {
  const digits = time
    .toISOString()
    .replaceAll(/[-:T]|\.\d+/g, '')
    .slice(2);
  return element(0x17, Buffer.from(digits));
}
