// Which bytes are one JSON object and nothing else (RFC 8259), so that two readers cannot understand them differently.
// Knows nothing of what the members mean; the size is bounded by whoever calls.

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Strings, with the colon if it is a member's name, and brackets: enough, because the text is known to be JSON. */
const tokens = /("[^"\\]*(?:\\.[^"\\]*)*")\s*(:)?|[{}[\]]/g

/** At any depth. `"a"` and `"\u0061"` are one name. */
function namesTwice(json: string): boolean {
  const open: Set<unknown>[] = []
  for (const [token, text, colon] of json.matchAll(tokens)) {
    if (text === undefined) {
      if (token === '{' || token === '[') open.push(new Set())
      else open.pop()
    } else if (colon !== undefined) {
      const names = open.at(-1)
      const name: unknown = text.includes('\\') ? JSON.parse(text) : text.slice(1, -1)
      if (names?.has(name)) return true
      names?.add(name)
    }
  }
  return false
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

/** What is written as it would be written again has lost no member in the reading: most texts are, and it is quickly seen. */
const isAsWritten = ({ json, value }: { json: string; value: unknown }): boolean =>
  JSON.stringify(value) === json

/** Undefined: not UTF-8, a byte order mark, not JSON, not an object, or a member that is named twice. */
export function readJsonObject(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  const read = parse(bytes)
  if (!read || !isObject(read.value)) return undefined
  return isAsWritten(read) || !namesTwice(read.json) ? read.value : undefined
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
