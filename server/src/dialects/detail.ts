// The error body of FastAPI and django-ninja: `detail` is one sentence, or a list with an entry for every wrong field.
// Owns that shape and what both frameworks say by themselves; which sentence answers which refusal each dialect decides.
import { z } from 'zod'
import { type Issue, type RefusalCode, refusals } from '../core/refusal.ts'
import type { RenderRefusal } from '../http/dialect.ts'

const entry = z.object({
  type: z.string().meta({ description: 'Kind of mistake', examples: ['missing'] }),
  loc: z.array(z.string()).meta({ description: 'Where it is', examples: [['body', 'password']] }),
  msg: z.string().meta({ description: 'For people', examples: ['Field required'] }),
})

/** What every refusal's body looks like. */
export const detailError = z.object({
  detail: z.union([z.string(), z.array(entry)]),
  call_id: z.string().optional().meta({ description: 'Names the log line of a fault' }),
})

/** A refusal that is one sentence. `more` stands beside `detail`. */
export const says =
  (status: number, detail: string, more?: Readonly<Record<string, unknown>>): RenderRefusal =>
  () => ({ status, body: { detail, ...more } })

/** An issue without a field is about the whole body. What was sent is never repeated: it may be a password. */
const entryOf = ({ type, field, message }: Issue): z.input<typeof entry> => ({
  type,
  loc: field === '' ? ['body'] : ['body', field],
  msg: message,
})

/** 422 with an entry for every issue, as Pydantic reports them. */
export const lists: RenderRefusal = ({ refused, issues = [] }) => {
  const whole = { type: 'value_error', field: '', message: refusals[refused].title }
  return { status: 422, body: { detail: (issues.length > 0 ? issues : [whole]).map(entryOf) } }
}

const malformed = { type: 'json_invalid', field: '', message: 'JSON decode error' }

/** What needs no wording of the dialect's own. */
export const detailRefusals = {
  body_malformed: () => ({ status: 422, body: { detail: [entryOf(malformed)] } }),
  input_invalid: lists,
  password_weak: lists,
  not_found: says(404, 'Not Found'),
  method_not_allowed: says(405, 'Method Not Allowed'),
  otherwise: ({ refused, callId }) => ({
    status: refusals[refused].status,
    body: { detail: refusals[refused].title, ...(refused === 'fault' ? { call_id: callId } : {}) },
  }),
} satisfies Partial<Record<RefusalCode | 'otherwise', RenderRefusal>>
