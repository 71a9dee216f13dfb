// Turns zod schemas into the component schemas of one OpenAPI document, each stored once. Knows JSON Schema and nothing
// of routes.
import { z } from 'zod'

export type Json = { readonly [key: string]: unknown }

export type Schemas = {
  /** A reference to the schema; `name` is taken for it unless the same schema already has one. */
  readonly refer: (name: string, schema: z.ZodType | Json) => Json
  /** All that were referred to, by name. */
  readonly components: () => Json
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** One JSON Schema (2020-12) of one zod schema: `input` as callers write it, `output` as answers read. */
export function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io })
  return json
}

/** The same value with every `#/$defs/X` pointing to where X went. */
function repoint(value: unknown, places: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map(each => repoint(each, places))
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [
      key,
      key === '$ref' && typeof each === 'string' ? (places.get(each) ?? each) : repoint(each, places),
    ]),
  )
}

export function openSchemas(): Schemas {
  const named = new Map<string, Json>()
  const nameOf = new Map<string, string>()

  const freeName = (wanted: string): string => {
    let name = wanted
    for (let n = 2; named.has(name); n++) name = `${wanted}${n}`
    return name
  }

  const keep = (name: string, json: Json): string => {
    const text = JSON.stringify(json)
    const known = nameOf.get(text)
    if (known !== undefined) return `#/components/schemas/${known}`
    const free = freeName(name)
    named.set(free, json)
    nameOf.set(text, free)
    return `#/components/schemas/${free}`
  }

  /** Named parts of a schema become components of their own, in the order in which they stand. */
  const hoist = (name: string, json: Json): string => {
    const { $defs, ...rest } = json
    const places = new Map<string, string>()
    for (const [part, definition] of Object.entries(isObject($defs) ? $defs : {})) {
      const moved = repoint(definition, places)
      if (isObject(moved)) places.set(`#/$defs/${part}`, keep(part, moved))
    }
    const whole = repoint(rest, places)
    const only = isObject(whole) && Object.keys(whole).length === 1 ? whole.$ref : undefined
    return typeof only === 'string' ? only : keep(name, isObject(whole) ? whole : {})
  }

  return {
    refer: (name, schema) => ({
      $ref: hoist(name, schema instanceof z.ZodType ? schemaOf(schema, 'output') : schema),
    }),
    components: () => Object.fromEntries(named),
  }
}
