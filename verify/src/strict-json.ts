// Which bytes are JSON that two readers cannot understand differently (RFC 8259): UTF-8 without a mark, no name twice, not
// nested deeper than is said. Knows nothing of what the members mean; the size is bounded by whoever calls.

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const isBlank = (code: number) => code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d

/** Index of the quote that closes the string opened at `open`. Only for text that has been parsed. */
function closingQuote(json: string, open: number): number {
  let at = open + 1
  while (json.charCodeAt(at) !== 0x22) at += json.charCodeAt(at) === 0x5c ? 2 : 1
  return at
}

/** Of text that has been parsed: no name twice in one object, and no more than `deepest` brackets open at once. Linear. */
function isPlain(json: string, deepest: number): boolean {
  const open: (Set<unknown> | undefined)[] = []
  for (let at = 0; at < json.length; at++) {
    const char = json[at]
    if (char === '{' || char === '[') {
      if (open.push(char === '{' ? new Set() : undefined) > deepest) return false
    } else if (char === '}' || char === ']') open.pop()
    else if (char === '"') {
      const close = closingQuote(json, at)
      let after = close + 1
      while (isBlank(json.charCodeAt(after))) after++
      if (json[after] === ':') {
        // Parsed, because "a" and "\u0061" are one name.
        const name: unknown = JSON.parse(json.slice(at, close + 1))
        const names = open.at(-1)
        if (names?.has(name)) return false
        names?.add(name)
      }
      at = close
    }
  }
  return true
}

function parse(bytes: Uint8Array): { json: string; value: unknown } | undefined {
  try {
    const json = utf8.decode(bytes)
    return { json, value: JSON.parse(json) }
  } catch (error) {
    // Not UTF-8 (TypeError) or not JSON (SyntaxError): an ordinary "no".
    if (error instanceof TypeError || error instanceof SyntaxError) return undefined
    throw error
  }
}

/**
 * Undefined: not UTF-8, a byte order mark, not JSON, a member that is named twice, or more than `deepest` brackets open at
 * once. `null` is a value.
 */
export function readJson(bytes: Uint8Array, deepest: number): { readonly value: unknown } | undefined {
  const read = parse(bytes)
  return read && isPlain(read.json, deepest) ? { value: read.value } : undefined
}

/** What is written as it would be written again has lost no member in the reading: most texts are, and it is quickly seen. */
const isAsWritten = ({ json, value }: { json: string; value: unknown }): boolean =>
  JSON.stringify(value) === json

/** However deep. Undefined: not UTF-8, a byte order mark, not JSON, not an object, or a member that is named twice. */
export function readJsonObject(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  const read = parse(bytes)
  if (!read || !isObject(read.value)) return undefined
  return isAsWritten(read) || isPlain(read.json, Infinity) ? read.value : undefined
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
