// A statement is compiled once, with holes where its values go; a call only fills the holes. Knows no table and no driver.
import type { Compilable } from 'kysely'
import type { Cell } from './schema.ts'

export type Row = Readonly<Record<string, Cell>>

/** SQL in its driver's spelling, and the order of the values its placeholders want. */
export type Statement<V> = {
  /** Unique in this program: Postgres keeps the plan under it. */
  readonly name: string
  readonly sql: string
  bind(values: V): readonly Cell[]
}

/** A statement whose rows are read as `T`. */
export type Query<V, T> = Statement<V> & { read(row: Row): T }

class Hole {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/** Stand-ins for the types of values: `{ userId: text, now: integer }`. */
export const text: string = ''
export const integer: number = 0

/** A stand-in for a whole row, to be inserted. */
export const blank = <T>(columns: readonly (keyof T & string)[]): T =>
  Object.fromEntries(columns.map(column => [column, text])) as T

/** Kysely takes a hole for the value that will be there: it only carries values, to the place where they are bound. */
const holesFor = <V extends object>(values: V): V =>
  Object.fromEntries(Object.keys(values).map(name => [name, new Hole(name)])) as unknown as V

/** `values`: stand-ins that name the values and give their types. `build` gets the holes for them. */
export function compile<V extends object>(
  name: string,
  values: V,
  build: (holes: V) => Compilable<unknown>,
): Statement<V> {
  const { sql, parameters } = build(holesFor(values)).compile()
  const order = parameters.map(parameter =>
    parameter instanceof Hole ? { value: parameter.name as keyof V } : { constant: parameter as Cell },
  )
  return {
    name,
    sql,
    bind: given => order.map(place => ('constant' in place ? place.constant : (given[place.value] as Cell))),
  }
}

/** As `compile`; `read` makes of each row what the caller wants. */
export function compileQuery<V extends object, O, T>(
  name: string,
  values: V,
  build: (holes: V) => Compilable<O>,
  read: (row: O) => T,
): Query<V, T> {
  // Kysely knows the row's type from the columns selected; the drivers hand every row over as cells.
  return { ...compile(name, values, build), read: row => read(row as O) }
}
