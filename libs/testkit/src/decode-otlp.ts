/** A span or log line as a collector reads it from OTLP's protobuf. Ids in hex, Unix times in ns. */
export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string;
  readonly name: string;
  readonly kind: number;
  readonly start: bigint;
  readonly end: bigint;
  readonly attributes: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly events: readonly { readonly name: string; readonly attributes: OtlpSpan['attributes'] }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  /** 2: failed. */
  readonly status: number;
}

export interface OtlpLog {
  readonly at: bigint;
  readonly severity: string;
  readonly body: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly flags: number;
  readonly attributes: OtlpSpan['attributes'];
}

export interface OtlpExport<Entry> {
  readonly resource: OtlpSpan['attributes'];
  readonly scope: string;
  readonly entries: readonly Entry[];
}

type Field = { readonly number: number; readonly value: Buffer | bigint };

const varintAt = (bytes: Buffer, start: number): [value: bigint, next: number] => {
  let value = 0n;
  let at = start;
  for (let shift = 0n; ; shift += 7n) {
    const byte = bytes[at++];
    if (byte === undefined) throw new Error('protobuf ends inside a number');
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return [value, at];
  }
};

/** The fields of a message; written apart from the encoder, from the wire format's specification. */
const fieldsOf = (bytes: Buffer): Field[] => {
  const fields: Field[] = [];
  let at = 0;
  while (at < bytes.length) {
    const [tag, afterTag] = varintAt(bytes, at);
    const [number, type] = [Number(tag >> 3n), Number(tag & 7n)];
    if (type === 0) {
      const [value, next] = varintAt(bytes, afterTag);
      fields.push({ number, value });
      at = next;
      continue;
    }
    const [length, from] = type === 2 ? varintAt(bytes, afterTag) : [type === 1 ? 8n : 4n, afterTag];
    if (type !== 1 && type !== 2 && type !== 5) throw new Error(`protobuf wire type ${type}`);
    at = from + Number(length);
    if (at > bytes.length) throw new Error('protobuf ends inside a field');
    fields.push({ number, value: bytes.subarray(from, at) });
  }
  return fields;
};

const all = (fields: readonly Field[], number: number): Buffer[] =>
  fields.flatMap((field) => (field.number === number && Buffer.isBuffer(field.value) ? [field.value] : []));
const one = (fields: readonly Field[], number: number): Buffer => all(fields, number)[0] ?? Buffer.alloc(0);
const number = (fields: readonly Field[], wanted: number): number =>
  Number(fields.find((field) => field.number === wanted && typeof field.value === 'bigint')?.value ?? 0n);
const time = (fields: readonly Field[], wanted: number): bigint => one(fields, wanted).readBigUInt64LE();

const attributesIn = (messages: readonly Buffer[]): OtlpSpan['attributes'] =>
  Object.fromEntries(
    messages.map((message) => {
      const fields = fieldsOf(message);
      const [value] = fieldsOf(one(fields, 2));
      const read = () => {
        if (value?.number === 1) return (value.value as Buffer).toString();
        if (value?.number === 2) return value.value === 1n;
        if (value?.number === 3) return Number(value.value);
        return value?.number === 4 ? (value.value as Buffer).readDoubleLE() : undefined;
      };
      return [one(fields, 1).toString(), read()] as const;
    }),
  );

const linkOf = (bytes: Buffer): OtlpSpan['links'][number] => {
  const fields = fieldsOf(bytes);
  return { traceId: one(fields, 1).toString('hex'), spanId: one(fields, 2).toString('hex') };
};

const eventOf = (bytes: Buffer): OtlpSpan['events'][number] => {
  const fields = fieldsOf(bytes);
  return { name: one(fields, 2).toString(), attributes: attributesIn(all(fields, 3)) };
};

const spanOf = (bytes: Buffer): OtlpSpan => {
  const fields = fieldsOf(bytes);
  return {
    traceId: one(fields, 1).toString('hex'),
    spanId: one(fields, 2).toString('hex'),
    parentId: one(fields, 4).toString('hex'),
    name: one(fields, 5).toString(),
    kind: number(fields, 6),
    start: time(fields, 7),
    end: time(fields, 8),
    attributes: attributesIn(all(fields, 9)),
    events: all(fields, 11).map(eventOf),
    links: all(fields, 13).map(linkOf),
    status: number(fieldsOf(one(fields, 15)), 3),
  };
};

const logOf = (bytes: Buffer): OtlpLog => {
  const fields = fieldsOf(bytes);
  return {
    at: time(fields, 1),
    severity: one(fields, 3).toString(),
    body: one(fieldsOf(one(fields, 5)), 1).toString(),
    attributes: attributesIn(all(fields, 6)),
    flags: one(fields, 8).readUInt32LE(),
    traceId: one(fields, 9).toString('hex'),
    spanId: one(fields, 10).toString('hex'),
  };
};

const decode = <Entry>(body: Buffer, entryOf: (bytes: Buffer) => Entry): OtlpExport<Entry> => {
  const perResource = fieldsOf(one(fieldsOf(body), 1));
  const perScope = fieldsOf(one(perResource, 2));
  return {
    resource: attributesIn(all(fieldsOf(one(perResource, 1)), 1)),
    scope: one(fieldsOf(one(perScope, 1)), 1).toString(),
    entries: all(perScope, 2).map(entryOf),
  };
};

/** Reads an `ExportTraceServiceRequest`. */
export const decodeTraces = (body: Buffer): OtlpExport<OtlpSpan> => decode(body, spanOf);
/** Reads an `ExportLogsServiceRequest`. */
export const decodeLogs = (body: Buffer): OtlpExport<OtlpLog> => decode(body, logOf);
