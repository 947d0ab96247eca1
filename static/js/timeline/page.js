// The timeline page. Its months are grids (clipsite/grid/virtual). Until their pictures are loaded,
// their heights are estimated from the counts.

import "clipsite/grid/keyboard";
import { startDays } from "clipsite/timeline/days";
import { startScrubber } from "clipsite/timeline/scrubber";

const sections = [...document.querySelectorAll(".month")];
const scrubber = document.getElementById("scrubber");

if (sections.length) startDays();
if (sections.length > 1) startScrubber(scrubber, sections);
