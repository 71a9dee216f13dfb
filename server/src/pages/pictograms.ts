// A small drawing for each kind of device. Decoration: what it shows is also said in words.
import type { DeviceKind } from '../device.ts'
import { type Html, html } from '../http/html.ts'

const draw = (shape: Html): Html =>
  html`<svg class="pictogram" viewBox="0 0 24 24" width="24" height="24" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${shape}</svg>`

const unknown = draw(
  html`<circle cx="12" cy="12" r="8.5"/><path d="M9.6 9.4a2.4 2.4 0 1 1 3.5 2.2c-.7.4-1.1.9-1.1 1.8M12 16.6v.1"/>`,
)

const pictograms: Readonly<Record<DeviceKind, Html>> = {
  desktop: draw(html`<rect x="5" y="5" width="14" height="10" rx="1.6"/><path d="M2.5 18.5h19"/>`),
  mobile: draw(html`<rect x="7" y="2.5" width="10" height="19" rx="2.4"/><path d="M11 18.5h2"/>`),
  tablet: draw(html`<rect x="4" y="3" width="16" height="18" rx="2.4"/><path d="M11 18h2"/>`),
  tv: draw(html`<rect x="3" y="4.5" width="18" height="12" rx="1.6"/><path d="M8.5 20h7"/>`),
  program: draw(
    html`<rect x="3" y="4.5" width="18" height="15" rx="2"/><path d="m7 9.5 3 2.5-3 2.5M12.5 15h4"/>`,
  ),
}

/** Null: nobody knows. */
export const pictogramOf = (kind: DeviceKind | null): Html => (kind === null ? unknown : pictograms[kind])
