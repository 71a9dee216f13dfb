// @rusk/client/axios: the client in an axios instance. It stands around the adapter, inside of every interceptor and
// transformation: none runs twice for a call that is repeated. Knows no server's wire, and keeps nothing between calls.
import {
  Axios,
  type AxiosAdapter,
  AxiosHeaders,
  type AxiosInstance,
  type AxiosResponse,
  getAdapter,
  type InternalAxiosRequestConfig,
  isAxiosError,
} from 'axios'
import type { Client, Pass } from './contract.ts'

type Config = InternalAxiosRequestConfig<unknown>
type Sender = NonNullable<Config['adapter']>

/** Axios's own, for an instance without one. */
const usual: Sender = ['xhr', 'http', 'fetch']

/** Streams are gone once they were sent; the packages that make forms of streams in Node are streams too. */
const isSpent = (data: unknown): boolean => data instanceof Object && ('getReader' in data || 'pipe' in data)

/** Work of the client's that ends when the call is cancelled. What it rejects with then, axios makes a cancellation. */
async function cancellable<T>(
  { signal, cancelToken }: Config,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const cancelled = new AbortController()
  const abort = () => cancelled.abort()
  if (signal?.aborted) abort()
  signal?.addEventListener?.('abort', abort)
  // A token may live as long as the page.
  const asked: (Promise<void> & { cancel?(): void }) | undefined = cancelToken?.promise.then(abort)
  try {
    return await work(cancelled.signal)
  } finally {
    signal?.removeEventListener?.('abort', abort)
    asked?.cancel?.()
  }
}

/** Sends what the call says and these headers, of which the call's own win. What comes back names the call as it was. */
async function sendWith(
  send: AxiosAdapter,
  config: Config,
  headers: Pass['headers'],
  withCredentials: boolean,
): Promise<AxiosResponse> {
  const own = new AxiosHeaders(config.headers)
  // Whoever logs an answer or an error, or sends its config again, has no old token in it.
  const cover = (answer: Pick<AxiosResponse, 'config' | 'request'> | undefined) => {
    if (!answer) return
    answer.config = config
    // That of fetch shows its headers.
    if (answer.request instanceof Request) answer.request = undefined
  }
  try {
    const answer = await send({ ...config, headers: own.set({ ...headers }, false), withCredentials })
    cover(answer)
    return answer
  } catch (error) {
    if (isAxiosError(error)) {
      cover(error.response)
      cover(error as Parameters<typeof cover>[0])
    }
    throw error
  }
}

/**
 * From now on the calls of `instance` carry what `client.fetch` would: cookies, CSRF token and access token for Rusk's, the
 * page's and the listed origins, none of it for any other. After a 401 tokens are renewed once and the call is repeated once,
 * unless its body was a stream. A header that the app has set stays. While nobody can say who is signed in, a call that
 * hangs on it rejects with a `RuskError`, not with the 401. Returns what takes it off again.
 *
 * `timeout` is for each sending; renewal has limits of its own.
 */
export function attach(instance: AxiosInstance, client: Client<unknown>): () => void {
  /** Builds addresses as adapters do: of the call alone. */
  const addresses = new Axios({})

  const carry =
    (adapter: Sender): AxiosAdapter =>
    async config => {
      // Sent again by the app, it comes by here again.
      config.adapter = adapter
      const sender = getAdapter(adapter, config)
      const base = globalThis.document?.baseURI ?? globalThis.location?.href
      const url = new URL(addresses.getUri(config), base).href
      // To the address that was judged, however an adapter of axios's own would read it; one of the app's knows best.
      const send: AxiosAdapter = sent => {
        if (typeof adapter === 'function') return sender(sent)
        const { baseURL: _base, params: _params, ...rest } = sent
        return sender({ ...rest, url, allowAbsoluteUrls: true })
      }
      const prepare = () => cancellable(config, signal => client.prepare(url, config.method ?? 'get', signal))

      const pass = await prepare()
      if (!pass) return sendWith(send, config, {}, false)
      const { mark } = pass
      const first = sendWith(send, config, pass.headers, true)
      const status = await first.then(
        answer => answer.status,
        (error: unknown) => isAxiosError(error) && error.response?.status,
      )
      if (status !== 401) return first
      const recovered = await cancellable(config, signal => client.recover(mark, signal))
      if (!recovered || isSpent(config.data)) return first
      const again = await prepare()
      // Somebody else may have signed in meanwhile; the call is not theirs.
      return again?.mark.era === mark.era ? sendWith(send, config, again.headers, true) : first
    }

  const requests = instance.interceptors.request
  const entry = requests.use(
    config => {
      config.adapter = carry(config.adapter ?? usual)
      return config
    },
    null,
    { synchronous: true },
  )
  return () => requests.eject(entry)
}
