// Where Rusk stands in the network, from configuration alone: no request changes any of it.
import { isLoopback } from '@rusk/verify/floor'

export type Site = {
  /** Where browsers reach Rusk: `iss`, base of links. An origin and perhaps a path, no trailing slash. */
  readonly url: string
  /** `url` is https: cookies are Secure and may be `__Host-`, HSTS is sent. */
  readonly https: boolean
  /** Cookies are Secure: `https`, or the operator says so. */
  readonly secureCookies: boolean
  readonly environment: 'development' | 'production'
  /** Moves every dialect: `''` or `/x`. */
  readonly prefix: string
  /** Origins the operator lists, exact serialisations; undefined: each dialect's own. The origin of `url` is always listed. */
  readonly origins: readonly string[] | undefined
  /** Addresses and CIDR blocks of proxies whose X-Forwarded-For is believed. */
  readonly proxies: readonly string[]
  /** Domain of the readable CSRF cookie. */
  readonly csrfDomain: string | undefined
  /** Front end and API are on different sites: token cookies are SameSite=None and Secure. */
  readonly crossSite: boolean
  /** Seconds of Strict-Transport-Security. */
  readonly hsts: number
}

/**
 * Whether a browser that asks this host asks its own machine, where plain http harms nobody and cookies may be Secure all
 * the same: `*.localhost` too, for which browsers ask no DNS (Secure Contexts §3.1).
 */
export const isLocalToBrowsers = (hostname: string): boolean =>
  isLoopback(hostname) || hostname.endsWith('.localhost')
