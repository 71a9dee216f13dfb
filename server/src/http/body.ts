// Reads a JSON body as strictly as a token's parts are read (verify/src/strict-json.ts), 32 levels at most. Forms are form.ts;
// what the fields mean is wire.ts and the operation.
import { readJson as readStrictly } from '@rusk/verify/floor'
import { type Refusal, refuse } from '../core/refusal.ts'
import type { Body } from './call.ts'

const deepest = 32

/** `application/json`, alone or with charset=utf-8. A type that came twice is neither. */
const jsonType = /^application\/json[ \t]*(?:;[ \t]*charset=(?:utf-8|"utf-8")[ \t]*)?$/i

/** The value, or undefined where the bytes are not JSON as we take it. `null` is a value. */
export const readJson = (bytes: Uint8Array): { readonly value: unknown } | undefined =>
  readStrictly(bytes, deepest)

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
