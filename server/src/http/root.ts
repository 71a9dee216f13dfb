// What stands at the root whatever the dialects are: whether it lives, whether it is ready, its public keys, its description.
import { readOnce } from './page.ts'
import type { Served } from './served.ts'

export type Root = {
  /** Rejects while the store cannot be used. */
  readonly ready: () => Promise<void>
  /** The public halves of the signing keys, as a JWK set (RFC 7517). */
  readonly keys: () => object
  /** The OpenAPI document. */
  readonly openapi: () => object
}

export const rootRoutes = ({ ready, keys, openapi }: Root): readonly Served[] => [
  { path: '/health', answer: () => ({ status: 200, body: { status: 'healthy' } }) },
  {
    path: '/ready',
    answer: () =>
      ready().then(
        () => ({ status: 200, body: { status: 'ready' } }),
        // Not swallowed: whoever asks is told, and every call that needs the store logs its own fault.
        () => ({ status: 503, body: { status: 'unavailable' }, headers: { 'Retry-After': '1' } }),
      ),
  },
  {
    path: '/.well-known/jwks.json',
    // For verifiers anywhere; they fetch again well before a new key signs.
    readers: 'all',
    answer: () => ({ status: 200, body: keys(), headers: { 'Cache-Control': 'public, max-age=300' } }),
  },
  { path: '/openapi.json', type: 'application/json', body: readOnce(async () => JSON.stringify(openapi())) },
]
