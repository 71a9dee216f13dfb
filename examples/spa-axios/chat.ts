// A chat service that never calls Rusk: it checks the access token by the key that the two share. Keeps what was said in
// memory, by user.
import { serve } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { getCookie } from 'hono/cookie'
import { cors } from 'hono/cors'
import { type JwtVariables, jwt } from 'hono/jwt'
import { streamSSE } from 'hono/streaming'

type Line = { readonly by: 'you' | 'chat'; readonly text: string }
type Env = { Variables: JwtVariables<{ readonly user_id: number; readonly exp: number }> }

/** As Django has it. A page of another site could not send the access token either. */
function isDoublySubmitted(c: Context): boolean {
  const sent = c.req.header('x-csrftoken')
  return c.req.method === 'GET' || (!!sent && sent === getCookie(c, 'csrftoken'))
}

/** Signed by the key is not enough: it must say whose it is, and end. */
const isWhole = ({ user_id, exp }: Env['Variables']['jwtPayload']): boolean =>
  Number.isSafeInteger(user_id) && typeof exp === 'number'

/** Clocks of two machines stand apart: a token may seem to come from the near future. */
const verification = { typ: 'at+jwt', iat: false }

/**
 * `key`: JWT_SECRET_KEY, as Rusk has it. `page`: the origin of the pages that may call. An access token is good until it
 * expires: of a sign-out this service does not hear.
 */
export function openChat(key: string, page: string) {
  const said = new Map<number, readonly Line[]>()
  const keep = (user: number, line: Line) => said.set(user, [...(said.get(user) ?? []), line])

  return new Hono<Env>()
    .use(cors({ origin: page, credentials: true, maxAge: 600 }))
    .use(jwt({ secret: key, alg: 'HS256', verification }))
    .use(async (c, next) =>
      isWhole(c.get('jwtPayload')) ? next() : c.json({ detail: 'Sign in first' }, 401),
    )
    .use(async (c, next) => (isDoublySubmitted(c) ? next() : c.json({ detail: 'CSRF Failed' }, 403)))
    .get('/chat/history', c => c.json(said.get(c.get('jwtPayload').user_id) ?? []))
    .delete('/chat/history', c => {
      said.delete(c.get('jwtPayload').user_id)
      return c.body(null, 204)
    })
    .post('/chat/stream', bodyLimit({ maxSize: 16 * 1024 }), async c => {
      const user = c.get('jwtPayload').user_id
      const { message }: { message?: unknown } = Object(await c.req.json().catch(() => null))
      if (typeof message !== 'string' || message === '') return c.json({ detail: 'Say something' }, 422)
      const answer = `You said “${message}”, and I heard every word of it.`
      keep(user, { by: 'you', text: message })
      keep(user, { by: 'chat', text: answer })
      return streamSSE(c, async stream => {
        for (const word of answer.split(/(?<= )/)) {
          await stream.writeSSE({ data: word })
          await stream.sleep(60)
        }
      })
    })
}

if (import.meta.main) {
  const { JWT_SECRET_KEY = '', CSRF_TRUSTED_ORIGINS = '' } = process.env
  const { fetch } = openChat(JWT_SECRET_KEY, CSRF_TRUSTED_ORIGINS)
  serve({ fetch, hostname: 'localhost', port: 8001 }, () =>
    console.log('chat listening on http://localhost:8001'),
  )
}
