/**
 * Just enough of Protocol Buffers' wire format to look into what is sent to a collector: fields that have bytes, by
 * their numbers.
 */
export function fieldsOf(message: Buffer): Map<number, Buffer[]> {
  const fields = new Map<number, Buffer[]>();
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = message.readUInt8(at);
      at += 1;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const wireType = tag & 7;
    if (wireType === 0) varint();
    else if (wireType === 1) at += 8;
    else if (wireType === 5) at += 4;
    else if (wireType === 2) {
      const length = varint();
      if (at + length > message.length) throw new RangeError('no message');
      fields.set(tag >>> 3, [...(fields.get(tag >>> 3) ?? []), message.subarray(at, at + length)]);
      at += length;
    } else throw new RangeError('no message');
  }
  return fields;
}

/** What lies at the end of a path of field numbers. */
export function bytesAt(message: Buffer, ...path: readonly number[]): Buffer[] {
  const [field, ...rest] = path;
  if (field === undefined) return [message];
  return (fieldsOf(message).get(field) ?? []).flatMap((inner) => bytesAt(inner, ...rest));
}

/** Every text in a message, at whatever depth. */
export function textsIn(message: Buffer): string[] {
  let fields: Buffer[];
  try {
    fields = [...fieldsOf(message).values()].flat();
  } catch {
    return [];
  }
  return fields.flatMap((field) => [field.toString(), ...textsIn(field)]);
}
