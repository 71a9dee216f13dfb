// Reads forms and queries strictly (application/x-www-form-urlencoded, URL Standard §5.1): UTF-8, every % with its two
// digits, no name twice, a hundred fields at most. What the fields mean is wire.ts, the operation and the page.
import { type Refusal, refuse } from '../core/refusal.ts'
import { type Fields, readTyped } from './body.ts'
import type { Body } from './call.ts'

/** Alone or with charset=utf-8. A type that came twice is neither. */
const formType = /^application\/x-www-form-urlencoded[ \t]*(?:;[ \t]*charset=(?:utf-8|"utf-8")[ \t]*)?$/i

/** No form of ours has a tenth of it. */
const mostFields = 100

const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Throws URIError where a % does not begin a character. */
const decode = (part: string): string => decodeURIComponent(part.replaceAll('+', ' '))

/**
 * Fields by name, undefined where the text is none as we take it. An empty control says nothing: its field is absent.
 * Whatever a field is called, it is an own property of the result and nothing else.
 */
export function readForm(form: string): Readonly<Record<string, string>> | undefined {
  const pairs = form.split('&').filter(pair => pair !== '')
  if (pairs.length > mostFields) return undefined
  const fields = new Map<string, string>()
  try {
    for (const pair of pairs) {
      const [name = '', ...value] = pair.split('=')
      const decoded = decode(name)
      if (fields.has(decoded)) return undefined
      fields.set(decoded, decode(value.join('=')))
    }
  } catch (error) {
    if (error instanceof URIError) return undefined
    throw error
  }
  return Object.fromEntries([...fields].filter(([, value]) => value !== ''))
}

type Read = { readonly fields: Fields } | { readonly refusal: Refusal }

const fieldsOf = (form: string): Read => {
  const fields = readForm(form)
  return fields ? { fields } : { refusal: refuse('body_malformed') }
}

/** The fields of a GET: its query, without the `?`. */
export const readQuery = (query: string): Read => fieldsOf(query)

/** The fields of a body; none if there is no body, and then no type is asked for. */
export function readFormBody(body: Body, type: string | undefined): Read {
  const typed = readTyped(body, type, formType)
  if ('refusal' in typed) return typed
  try {
    return fieldsOf(text.decode(typed.bytes))
  } catch (error) {
    if (error instanceof TypeError) return { refusal: refuse('body_malformed') }
    throw error
  }
}
