const SLOTS = 16_384;
const POLYNOMIAL = 0x10_21;

/** The slot of a cluster that a key without a hash tag is in: CRC-16/XMODEM, as Redis defines it. */
export function slotOf(key: string): number {
  let crc = 0;
  for (const byte of Buffer.from(key)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x80_00 ? (crc << 1) ^ POLYNOMIAL : crc << 1) & 0xff_ff;
  }
  return crc % SLOTS;
}
