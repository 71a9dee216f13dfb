// Between the wire's names and the operation's: fields on the way in, issues on the way out. Renames and looks whether a
// demanded name is there; values are checked by the operation.
import { readInput } from '../core/input.ts'
import { type Issue, type Refusal, refuse } from '../core/refusal.ts'
import type { Fields } from './body.ts'
import type { Asks } from './dialect.ts'

const read = (wire: string, fields: Fields, params: Fields): unknown => {
  const from = wire.startsWith(':') ? params : fields
  const name = wire.replace(/^:/, '')
  return Object.hasOwn(from, name) ? from[name] : undefined
}

/** Of several wire names for one field the first that says something. */
function nameFor(route: Asks, field: string, fields: Fields, params: Fields): string | undefined {
  const names = Object.keys(route.takes).filter(wire => route.takes[wire] === field)
  const given = names.filter(wire => read(wire, fields, params) !== undefined)
  return given.find(wire => read(wire, fields, params) !== null) ?? given[0] ?? names[0]
}

/** In the order in which the dialect names its fields. */
function ordered(route: Asks, issues: readonly Issue[]): Issue[] {
  const order = Object.keys(route.takes)
  return issues.toSorted((a, b) => order.indexOf(a.field) - order.indexOf(b.field))
}

/** Issues by the wire's names, as this call used them. An issue about the whole body has no name. */
export const toWire = (route: Asks, issues: readonly Issue[], fields: Fields, params: Fields): Issue[] =>
  ordered(
    route,
    issues.map(issue => ({
      ...issue,
      field: (nameFor(route, issue.field, fields, params) ?? issue.field).replace(/^:/, ''),
    })),
  )

/** What the dialect demands and the operation does not, by the wire's names. */
function demand(route: Asks, fields: Fields, params: Fields): Issue[] {
  return route.requires.flatMap(wire => {
    const value = read(wire, fields, params)
    if (value === undefined) return [{ field: wire, type: 'missing', message: 'Field required' }]
    if (value === null)
      return [{ field: wire, type: 'string_type', message: 'Input should be a valid string' }]
    return []
  })
}

/** The operation's input; or every finding at once, by the wire's names. Unknown fields are dropped. */
export function toInput(
  route: Asks,
  fields: Fields,
  params: Fields,
): { readonly input: Fields } | { readonly refusal: Refusal } {
  const input: Record<string, unknown> = {}
  for (const field of new Set(Object.values(route.takes))) {
    const wire = nameFor(route, field, fields, params)
    const value = wire === undefined ? undefined : read(wire, fields, params)
    if (value !== undefined) input[field] = value
  }
  const demanded = demand(route, fields, params)
  if (demanded.length === 0) return { input }
  const checked = readInput(route.does, input)
  const found = 'refusal' in checked ? toWire(route, checked.refusal.issues ?? [], fields, params) : []
  const others = found.filter(issue => demanded.every(each => each.field !== issue.field))
  return { refusal: refuse('input_invalid', { issues: ordered(route, [...demanded, ...others]) }) }
}
