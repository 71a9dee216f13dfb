// What is nicer with a script, on pages that do without: goes on by itself, shows passwords, tells times in the reader's
// own zone. Reads what it knows from the markup; asks nobody for anything.

/** What the address said to this answer alone. */
const passing = ['rusk_again', 'done']

for (const form of document.querySelectorAll('form[data-at-once]')) form.submit()

for (const button of document.querySelectorAll('[data-reveals]')) {
  const input = document.getElementById(button.dataset.reveals)
  const show = shown => {
    input.type = shown ? 'text' : 'password'
    button.setAttribute('aria-pressed', String(shown))
  }
  button.hidden = false
  button.addEventListener('click', () => show(input.type === 'password'))
  // A browser remembers what stood in a field of text.
  input.form.addEventListener('submit', () => show(false))
}

for (const form of document.forms) {
  const button = form.querySelector('button:not([type="button"])')
  form.addEventListener('submit', event => {
    // Not `disabled`: the button would lose the keyboard's focus.
    if (button.getAttribute('aria-disabled') === 'true') event.preventDefault()
    button.setAttribute('aria-disabled', 'true')
  })
}

const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' })
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })

for (const time of document.querySelectorAll('time'))
  time.textContent = ('day' in time.dataset ? day : moment).format(new Date(time.dateTime))

// Coming back here asks for the page, and does not send its form again.
const here = new URL(location.href)
for (const name of passing) here.searchParams.delete(name)
history.replaceState(null, '', here)

// A page that was put aside shows who was signed in then.
addEventListener('pageshow', event => {
  if (event.persisted) location.reload()
})
