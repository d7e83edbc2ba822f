// Gives the reference its colours, by what the reader's system prefers, and follows when that changes.
"use strict";

const COLOURS = {
  light: {
    theme: "light", "bg-color": "#ffffff", "text-color": "#24211c", "primary-color": "#8a5300",
    "nav-bg-color": "#faf7f0", "nav-text-color": "#4a443a", "nav-hover-bg-color": "#f0e8d8",
    "nav-hover-text-color": "#24211c", "nav-accent-color": "#b97309",
  },
  dark: {
    theme: "dark", "bg-color": "#181612", "text-color": "#e9e3d7", "primary-color": "#f0b13c",
    "nav-bg-color": "#211e18", "nav-text-color": "#cbc3b4", "nav-hover-bg-color": "#322c22",
    "nav-hover-text-color": "#ffffff", "nav-accent-color": "#f0b13c",
  },
};

const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");

function paint() {
  const reference = document.querySelector("rapi-doc");
  for (const [name, value] of Object.entries(prefersDark.matches ? COLOURS.dark : COLOURS.light)) {
    reference.setAttribute(name, value);
  }
}

prefersDark.addEventListener("change", paint);
paint();
