// Where in the app the person is: real addresses by the browser's history, which is all the router that this app needs.
import { type ComponentProps, type MouseEvent, useSyncExternalStore } from 'react'

const subscribe = (listener: () => void) => {
  addEventListener('popstate', listener)
  return () => removeEventListener('popstate', listener)
}

/** The path of the page's address. */
export const usePlace = (): string => useSyncExternalStore(subscribe, () => location.pathname)

/** A link within the app. Opened in a new tab or a new window it is an ordinary one. */
export function Link({ href = '/', ...rest }: ComponentProps<'a'>) {
  const go = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    history.pushState(null, '', href)
    dispatchEvent(new PopStateEvent('popstate'))
  }
  return <a {...rest} href={href} aria-current={usePlace() === href ? 'page' : undefined} onClick={go} />
}
