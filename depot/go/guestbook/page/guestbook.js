// Signs without reloading the page. Without this script the form does the same by itself.
const form = document.getElementById("form");
const entry = document.getElementById("entry");
const submit = document.getElementById("submit");
const problem = document.getElementById("problem");
const entries = document.getElementById("entries");

async function ask(path, options) {
  const response = await fetch(path, { ...options, headers: { Accept: "application/json" } });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

const unescape = (text) => text.replaceAll("%2C", ",").replaceAll("%25", "%");

async function read() {
  const { data } = await ask("/guestbook.php?cmd=get&key=messages");
  return data === "" ? [] : data.split(",").map(unescape);
}

function show(messages) {
  entries.replaceChildren(...messages.map((message) => {
    const item = document.createElement("li");
    item.textContent = message;
    return item;
  }));
}

// Reads come from a slave, which may be a moment behind the master that took the message.
async function readUntil(arrived) {
  for (let attempt = 0; ; attempt++) {
    const messages = await read();
    if (arrived(messages) || attempt === 20) return messages;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  submit.disabled = true;
  problem.hidden = true;
  try {
    const message = entry.value.trim();
    const count = (messages) => messages.filter((other) => other === message).length;
    const before = count(await read());
    await ask("/", { method: "POST", body: new URLSearchParams(new FormData(form)) });
    entry.value = "";
    show(await readUntil((messages) => count(messages) > before));
  } catch (error) {
    problem.textContent = error.message;
    problem.hidden = false;
  } finally {
    submit.disabled = false;
    entry.focus();
  }
});
