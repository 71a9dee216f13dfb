// Sends the playground's calls and shows both sides of each. Reads everything it knows from the forms' data attributes;
// writes text only, never HTML. An access token is kept in a variable, as a front end should keep it, and nowhere else.

/** In development every answer that sets cookies carries their lines here, as a JSON list without the values. */
const trace = 'rusk-set-cookie'

/** Access tokens by dialect, for those that hand them out in the answer. */
const tokens = new Map()

const jwt = /^[\w-]+\.[\w-]+\.[\w-]+$/

const element = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties)
  made.append(...children)
  return made
}

const shorten = token => `${token.slice(0, 12)}… (${token.length} characters)`

/** The value of a readable cookie; undefined when there is none. */
const readCookie = name =>
  document.cookie
    .split('; ')
    .find(pair => pair.startsWith(`${name}=`))
    ?.slice(name.length + 1)

/** What to send: URL, headers, body, and the same as text for the reader. */
function compose(form, section) {
  const { method, bearer, csrf } = form.dataset
  const fields = [...form.elements].filter(input => input.name && input.value !== '')
  let path = form.dataset.path
  for (const input of form.querySelectorAll('[data-in="path"]')) {
    path = path.replace(`{${input.name}}`, encodeURIComponent(input.value))
  }
  const body = Object.fromEntries(
    fields.filter(input => input.dataset.in === 'body').map(input => [input.name, input.value]),
  )
  const hasBody = form.querySelector('[data-in="body"]') !== null
  const headers = {}
  if (hasBody) headers['content-type'] = 'application/json'
  const token = tokens.get(section.id)
  if (bearer && token) headers.authorization = `Bearer ${token}`
  const { csrfCookie, csrfHeader } = section.dataset
  const csrfToken = csrf && readCookie(csrfCookie)
  if (csrfToken) headers[csrfHeader] = csrfToken
  return {
    // Relative, so that the page works wherever a proxy puts it.
    url: new URL(path.slice(1), document.baseURI),
    init: { method, headers, credentials: 'same-origin', ...(hasBody ? { body: JSON.stringify(body) } : {}) },
    text: [
      `${method} ${path}`,
      ...Object.entries(headers).map(([name, value]) =>
        name === 'authorization' ? `${name}: Bearer ${shorten(token)}` : `${name}: ${value}`,
      ),
      'cookie: added by the browser, unseen by scripts',
      ...(hasBody ? ['', JSON.stringify(body, null, 2)] : []),
    ].join('\n'),
    missing: csrf && !csrfToken ? `There is no ${csrfCookie} cookie yet, so no ${csrfHeader} header.` : '',
  }
}

const shownHeaders = ['content-type', 'www-authenticate', 'retry-after', 'allow']

function readBody(text) {
  try {
    return { json: JSON.parse(text) }
  } catch {
    return { json: undefined }
  }
}

function describeAnswer(answer, text, json) {
  const shown = json === undefined ? text : JSON.stringify(json, null, 2)
  return [
    `${answer.status} ${answer.statusText}`,
    ...shownHeaders
      .filter(name => answer.headers.has(name))
      .map(name => `${name}: ${answer.headers.get(name)}`),
    ...(shown ? ['', shown] : []),
  ].join('\n')
}

/** What the answer did to cookies, as the server tells it. */
const cookieChanges = answer =>
  JSON.parse(answer.headers.get(trace) ?? '[]').map(line => {
    const cleared = /;\s*max-age=0(;|$)/i.test(line)
    const name = line.split(';')[0].trim()
    return { name, cleared, text: `${name}=${cleared ? '' : '…'}${line.slice(name.length)}` }
  })

function showCookies(section, form, changes) {
  const time = new Date().toLocaleTimeString()
  for (const { name, cleared } of changes) {
    const item = section.querySelector(`[data-cookie="${CSS.escape(name)}"]`)
    if (!item) continue
    item.dataset.state = cleared ? 'cleared' : 'set'
    item.querySelector('.state').textContent =
      `${cleared ? 'cleared' : 'set'} by ${form.dataset.path} at ${time}`
  }
}

function showScriptView() {
  for (const section of document.querySelectorAll('.dialect')) {
    section.querySelector('.readable').textContent = document.cookie || 'nothing'
    const token = tokens.get(section.id)
    const place = section.querySelector('.token')
    if (place) place.textContent = token ? shorten(token) : 'none'
  }
}

const block = (title, text, whole) => {
  const pre = element('pre', { textContent: text, tabIndex: 0 })
  pre.setAttribute('role', 'group')
  pre.setAttribute('aria-label', title)
  return element('div', { className: whole ? 'whole' : '' }, element('h4', { textContent: title }), pre)
}

function showExchange(form, sent, came, changes) {
  const place = form.querySelector('.exchange')
  const cookies = changes.length > 0 ? changes.map(({ text }) => text).join('\n') : 'none'
  place.replaceChildren(
    block('Sent', sent.missing ? `${sent.text}\n\n${sent.missing}` : sent.text),
    block('Came back', came),
    block('Set-Cookie of this answer (values are hidden from scripts)', cookies, true),
  )
  place.hidden = false
}

function showOutcome(form, text, good) {
  const outcome = form.querySelector('.outcome')
  outcome.textContent = text
  outcome.dataset.good = good ? 'yes' : 'no'
}

async function send(form) {
  const section = form.closest('.dialect')
  const sent = compose(form, section)
  const startedAt = performance.now()
  const answer = await fetch(sent.url, sent.init)
  const text = await answer.text()
  const took = Math.round(performance.now() - startedAt)
  const { json } = readBody(text)
  if (answer.ok && form.dataset.renews) {
    const token = Object.values(json ?? {}).find(value => typeof value === 'string' && jwt.test(value))
    tokens.set(section.id, token)
  }
  const changes = cookieChanges(answer)
  showExchange(form, sent, describeAnswer(answer, text, json), changes)
  showCookies(section, form, changes)
  showScriptView()
  showOutcome(form, `${answer.status} ${answer.statusText}, ${took} ms`, answer.ok)
}

for (const form of document.querySelectorAll('form.call')) {
  const button = form.querySelector('button')
  form.addEventListener('submit', async event => {
    event.preventDefault()
    // Not `disabled`: the button would lose the keyboard's focus.
    if (button.getAttribute('aria-disabled') === 'true') return
    button.setAttribute('aria-disabled', 'true')
    try {
      await send(form)
    } catch (error) {
      showOutcome(form, `The server did not answer: ${error.message}`, false)
    } finally {
      button.removeAttribute('aria-disabled')
    }
  })
}

showScriptView()
