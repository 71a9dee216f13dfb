// The JSON Schema of what a route takes, under its wire names: the body of the call and the parameters in its path.
// What is allowed in a field is the operation's to say (core/input.ts); this only renames.
import { z } from 'zod'
import { inputs } from '../core/input.ts'
import type { Route } from './dialect.ts'
import { type FieldNote, fieldNote } from './fields.ts'
import { type Json, schemaOf } from './openapi-schemas.ts'

export type Taken = {
  /** The name in the body, or in the path without its colon. */
  readonly wire: string
  readonly field: string
  readonly inPath: boolean
  /** Demanded by the operation or by the dialect, and no other wire name would do. */
  readonly required: boolean
  readonly schema: Json
  readonly note: FieldNote
}

/** What a dialect demands may be neither absent nor null. */
const demandedOf = (schema: z.ZodType): z.ZodType =>
  schema instanceof z.ZodOptional || schema instanceof z.ZodNullable
    ? demandedOf(schema.unwrap() as z.ZodType)
    : schema

/** Every wire name of the route, in the dialect's order. */
export function takenBy(route: Route): readonly Taken[] {
  const whole = inputs[route.does]
  const demanded: readonly unknown[] = [schemaOf(whole, 'input').required ?? []].flat()
  const fields = Object.entries(route.takes)
  return fields.map(([wire, field]) => {
    const schema = Object.entries(whole.shape).find(([name]) => name === field)?.[1]
    const insists = route.requires.includes(wire)
    const alone = fields.filter(([, each]) => each === field).length === 1
    return {
      wire: wire.replace(/^:/, ''),
      field,
      inPath: wire.startsWith(':'),
      required: insists || (alone && demanded.includes(field)),
      schema: schema ? schemaOf(insists ? demandedOf(schema) : schema, 'input') : {},
      note: fieldNote(field, wire),
    }
  })
}

/** Wire names of which at least one must be there, because they stand for one demanded field. */
function choices(route: Route): readonly (readonly string[])[] {
  const demanded: readonly unknown[] = [schemaOf(inputs[route.does], 'input').required ?? []].flat()
  return demanded
    .map(field => Object.keys(route.takes).filter(wire => route.takes[wire] === field))
    .filter(wires => wires.length > 1)
}

const describe = ({ schema, note }: Taken): Json => ({
  ...schema,
  ...(note.format ? { format: note.format } : {}),
  ...(note.says ? { description: note.says } : {}),
  ...(note.example ? { examples: [note.example] } : {}),
})

/** The schema of the body; undefined when the route takes none. */
export function bodySchema(route: Route): Json | undefined {
  const taken = takenBy(route).filter(each => !each.inPath)
  if (taken.length === 0) return undefined
  const required = taken.filter(each => each.required).map(each => each.wire)
  const anyOf = choices(route).map(wires => ({ anyOf: wires.map(wire => ({ required: [wire] })) }))
  return {
    type: 'object',
    properties: Object.fromEntries(taken.map(each => [each.wire, describe(each)])),
    ...(required.length > 0 ? { required } : {}),
    ...(anyOf.length > 0 ? { allOf: anyOf } : {}),
  }
}

/** OpenAPI parameters for what stands in the path. */
export const pathParameters = (route: Route): readonly Json[] =>
  takenBy(route)
    .filter(each => each.inPath)
    .map(({ wire, schema, note }) => ({
      name: wire,
      in: 'path',
      required: true,
      description: note.says,
      schema,
    }))
