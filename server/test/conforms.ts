// Holds one real answer to the published OpenAPI document: path, status, type, body and the headers it promises.
import { Ajv2020 } from 'ajv/dist/2020.js'

export type Answered = {
  readonly method: string
  /** Without query. */
  readonly path: string
  readonly status: number
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
}

type Node = { readonly [key: string]: unknown }

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null

const child = (node: unknown, key: string): Node | undefined => {
  const value = isNode(node) ? node[key] : undefined
  return isNode(value) ? value : undefined
}

/** A documented path as a pattern; a slash at its end may be there or not, where the dialect says so another test asks. */
const patternOf = (template: string): RegExp =>
  new RegExp(`^${template.replace(/\/$/, '').replaceAll(/\{[^}]+\}/g, '[^/]+')}/?$`)

const escapePointer = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1')

const compiled = new WeakMap<object, Ajv2020>()

function openAjv(document: object): Ajv2020 {
  const known = compiled.get(document)
  if (known) return known
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false })
  ajv.addSchema({ ...document, $id: 'https://document.invalid/' })
  compiled.set(document, ajv)
  return ajv
}

/** Everything in which the answer differs from the document; empty: it is as published. */
export function conforms(document: object, answered: Answered): readonly string[] {
  const paths = Object.keys(child(document, 'paths') ?? {})
  const method = answered.method.toLowerCase()
  const template =
    paths.find(path => path === answered.path) ?? paths.find(path => patternOf(path).test(answered.path))
  const about = `${answered.method} ${answered.path} ${answered.status}`
  const operation = template && child(child(child(document, 'paths'), template), method)
  if (!template || !operation) return [`${about}: this call is not in the document`]
  const response = child(child(operation, 'responses'), String(answered.status))
  if (!response) return [`${about}: this status is not in the document; the body is ${answered.text}`]
  const missing = Object.keys(child(response, 'headers') ?? {})
    .filter(name => name !== 'Set-Cookie' && answered.headers[name.toLowerCase()] === undefined)
    .map(name => `${about}: the header ${name} is missing`)
  const content = child(response, 'content')
  if (!content) return answered.text === '' ? missing : [...missing, `${about}: the body should be empty`]
  const type = String(answered.headers['content-type']).split(';')[0] ?? ''
  if (!child(content, type)) return [...missing, `${about}: the type ${type} is not in the document`]
  const keys = ['paths', template, method, 'responses', String(answered.status), 'content', type, 'schema']
  const ajv = openAjv(document)
  const valid = ajv.compile({ $ref: `https://document.invalid/#/${keys.map(escapePointer).join('/')}` })
  if (valid(JSON.parse(answered.text))) return missing
  return [...missing, `${about}: ${ajv.errorsText(valid.errors)} in ${answered.text}`]
}
