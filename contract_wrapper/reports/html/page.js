// Shows what the page holds as data: figures and tables of Bokeh, and episodes that play. Texts enter as text alone.
"use strict";

function dataOf(kind) {
  return [...document.querySelectorAll(`script[type="application/json"][data-kind="${kind}"]`)].map((block) => ({
    value: JSON.parse(block.textContent),
    target: document.getElementById(block.dataset.target),
  }));
}

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// The boards of all moments, from the first one and what changes.
function boardsOf(episode) {
  const boards = [Uint8Array.from(episode.first)];
  for (const change of episode.changes) {
    const board = boards[boards.length - 1].slice();
    for (let i = 0; i < change.length; i += 2) board[change[i]] = change[i + 1];
    boards.push(board);
  }
  return boards;
}

const AHEAD = [[0, -1], [1, 0], [0, 1], [-1, 0]]; // (x, y) of each heading: up, right, down, left
const BEAM_FLAG = 16;

function drawBoard(context, size, episode, board, places) {
  const { columns, colours, paint } = episode;
  const disc = (x, y, radius, colour) => {
    context.fillStyle = colour;
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fill();
  };
  board.forEach((value, cell) => {
    const x = (cell % columns) * size, y = Math.floor(cell / columns) * size, ground = value % BEAM_FLAG;
    context.fillStyle = colours[ground === episode.apple ? episode.orchard : ground];
    context.fillRect(x, y, size, size);
    if (ground === episode.apple) disc(x + size / 2, y + size / 2, 0.3 * size, colours[episode.apple]);
    if (value >= BEAM_FLAG) {
      context.globalAlpha = 0.8;
      context.fillStyle = colours[episode.beam];
      context.fillRect(x, y, size, size);
      context.globalAlpha = 1;
    }
  });
  places.forEach((place, agent) => {
    const cell = Math.floor(place / 4), [dx, dy] = AHEAD[place % 4];
    const x = ((cell % columns) + 0.5) * size, y = (Math.floor(cell / columns) + 0.5) * size;
    disc(x, y, 0.46 * size, "#222222");
    disc(x, y, 0.38 * size, paint[agent]);
    disc(x + 0.28 * size * dx, y + 0.28 * size * dy, 0.13 * size, "#ffffff");
  });
}

// One episode: an element, and a function that shows its moment k.
function screenOf(episode) {
  const caption = element("figcaption");
  const box = element("figure", { className: "screen" }, element("h3", { textContent: episode.title }));
  let show;
  if (episode.kind === "board") {
    const size = Math.max(4, Math.min(16, Math.floor(520 / Math.max(episode.rows, episode.columns))));
    const canvas = element("canvas", { width: size * episode.columns, height: size * episode.rows });
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `the field, ${episode.title}`);
    const context = canvas.getContext("2d"), boards = boardsOf(episode);
    show = (k) => drawBoard(context, size, episode, boards[k], episode.places[k]);
    box.append(canvas, caption, legendOf(episode.legend));
  } else {
    const picture = element("img", { alt: `the game, ${episode.title}` }), text = element("pre");
    show = (k) => {
      text.textContent = episode.texts[k];
      if (episode.kind === "pictures") picture.src = episode.pictures[k];
    };
    box.append(...(episode.kind === "pictures" ? [picture] : []), text, caption);
  }
  return {
    box,
    length: episode.steps.length,
    show(k) {
      show(k);
      caption.textContent = `${episode.captions[k]} (${episode.players} players)`;
    },
  };
}

function legendOf(entries) {
  const list = element("ul", { className: "legend" });
  for (const [name, colours, round] of entries) {
    const item = element("li");
    for (const colour of colours) {
      const swatch = element("span", { className: round ? "swatch disc" : "swatch" });
      swatch.style.backgroundColor = colour;
      item.append(swatch);
    }
    item.append(name);
    list.append(item);
  }
  return list;
}

// Episodes side by side with one button, one slider and one speed.
function playerOf(episodes, target) {
  const screens = episodes.map(screenOf), last = Math.max(...screens.map((screen) => screen.length)) - 1;
  const button = element("button", { type: "button", textContent: "Play" });
  const slider = element("input", { type: "range", min: 0, max: last, value: 0 });
  slider.setAttribute("aria-label", "moment of the episode");
  const speed = element("select", {}, ...[4, 12, 30].map((n) => new Option(`${n} moments per second`, n, n === 12, n === 12)));
  speed.setAttribute("aria-label", "speed");
  let timer = null;
  const show = () => screens.forEach((screen) => screen.show(Math.min(Number(slider.value), screen.length - 1)));
  const stop = () => {
    clearTimeout(timer);
    timer = null;
    button.textContent = "Play";
  };
  const tick = () => {
    if (Number(slider.value) >= last) return stop();
    slider.value = Number(slider.value) + 1;
    show();
    timer = setTimeout(tick, 1000 / Number(speed.value));
  };
  button.addEventListener("click", () => {
    if (timer !== null) return stop();
    if (Number(slider.value) >= last) slider.value = 0;
    button.textContent = "Pause";
    timer = setTimeout(tick, 0);
  });
  slider.addEventListener("input", () => {
    stop();
    show();
  });
  target.append(
    element("div", { className: "controls" }, button, slider, speed),
    element("div", { className: "screens" }, ...screens.map((screen) => screen.box)),
  );
  show();
}

for (const { value, target } of dataOf("episodes")) playerOf(value, target);
for (const { value } of dataOf("chart")) Bokeh.embed.embed_item(value);
