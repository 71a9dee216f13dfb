// Reads a JSON body strictly (RFC 8259): UTF-8 without a mark, no name twice, 32 levels at most. Forms are form.ts; what
// the fields mean is wire.ts and the operation.
import { type Refusal, refuse } from '../core/refusal.ts'
import type { Body } from './call.ts'

const deepest = 32

/** `application/json`, alone or with charset=utf-8. A type that came twice is neither. */
const jsonType = /^application\/json[ \t]*(?:;[ \t]*charset=(?:utf-8|"utf-8")[ \t]*)?$/i

const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const isBlank = (code: number) => code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d

/** Index of the quote that closes the string opened at `open`. Only for text that has been parsed. */
function closingQuote(json: string, open: number): number {
  let at = open + 1
  while (json.charCodeAt(at) !== 0x22) at += json.charCodeAt(at) === 0x5c ? 2 : 1
  return at
}

/** Whether parsed text is one that every reader understands alike: no name twice in one object, not too deep. Linear. */
function isPlain(json: string): boolean {
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

/** The value, or undefined where the bytes are not JSON as we take it. `null` is a value. */
export function readJson(bytes: Uint8Array): { readonly value: unknown } | undefined {
  try {
    const json = text.decode(bytes)
    const value: unknown = JSON.parse(json)
    return isPlain(json) ? { value } : undefined
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined
    throw error
  }
}

export type Fields = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The bytes of a body of the wanted type; empty if there is none, and then no type is asked for. */
export function readTyped(
  body: Body,
  type: string | undefined,
  wanted: RegExp,
): { readonly bytes: Uint8Array } | { readonly refusal: Refusal } {
  if (body === 'too_large') return { refusal: refuse('body_too_large') }
  if (body === 'cut_short') return { refusal: refuse('body_malformed') }
  // Whatever the dialect reads: it is not what was sent.
  if (body.length > 0 && !wanted.test(type ?? '')) return { refusal: refuse('not_json') }
  return { bytes: body }
}

/** The fields of a body; none if there is no body, and then no type is asked for. `wanted`: whether the route takes any. */
export function readFields(
  body: Body,
  type: string | undefined,
  wanted: boolean,
): { readonly fields: Fields } | { readonly refusal: Refusal } {
  const typed = readTyped(body, type, jsonType)
  if ('refusal' in typed) return typed
  if (typed.bytes.length === 0) return { fields: {} }
  const read = readJson(typed.bytes)
  if (!read) return { refusal: refuse('body_malformed') }
  if (!wanted) return { fields: {} }
  if (isObject(read.value)) return { fields: read.value }
  return {
    refusal: refuse('input_invalid', {
      issues: [
        {
          field: '',
          type: 'model_attributes_type',
          message: 'Input should be a valid dictionary or object to extract fields from',
        },
      ],
    }),
  }
}
