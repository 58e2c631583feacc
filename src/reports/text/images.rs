//! The images of a text report: frames name them, `Binary Images:` tells where they are.

use std::collections::HashMap;

use super::frame::FrameLine;
use crate::reports::fault::leading_hex;
use crate::reports::model::{Frame, Image, Thread};

/// Far above any real report: the most seen are 400.
const IMAGE_LIMIT: usize = 20_000;

/// The images named so far.
#[derive(Default)]
pub(super) struct Images {
    list: Vec<Image>,
    by_name: HashMap<String, usize>,
}

impl Images {
    /// The frame of a line. Its offset holds the address until [`Images::finish`] knows the base.
    pub(super) fn frame_of(&mut self, line: &FrameLine<'_>) -> Frame {
        let index = match self.by_name.get(line.image) {
            Some(index) => *index,
            None => self.add(line.image),
        };
        if let (Some(image), Some(base)) = (self.list.get_mut(index), line.base) {
            image.base = Some(base);
        }
        Frame {
            symbol: line.symbol.as_deref().map(str::to_owned),
            symbol_location: line.location,
            image_index: Some(index),
            image_offset: Some(line.address),
            source_file: line.source.map(|(file, _)| file.to_owned()),
            source_line: line.source.map(|(_, line)| line),
            inline: line.inline,
        }
    }

    /// Adds an image; past the bound, all further names are taken for the last one's.
    fn add(&mut self, name: &str) -> usize {
        let index = self.list.len();
        if index >= IMAGE_LIMIT {
            return index - 1;
        }
        self.list.push(Image {
            name: Some(name.to_owned()),
            ..Image::default()
        });
        self.by_name.insert(name.to_owned(), index);
        index
    }

    /// `0x100a53000 - 0x100a54fff org.python.python (3.13.5) <uuid> /path`; an `x` or `+` may
    /// stand before the identifier. Images that no frame names are added.
    pub(super) fn line(&mut self, line: &str) {
        let Some((start, rest)) = line.split_once('-') else {
            return;
        };
        let Some(base) = leading_hex(start.trim()) else {
            return;
        };
        let rest = rest.trim_start();
        let end = leading_hex(rest);
        let mut words = rest.split_whitespace().skip(1);
        let identifier = words.next().unwrap_or_default().trim_start_matches('+');
        let uuid = rest
            .split_once('<')
            .and_then(|(_, inside)| Some(inside.split_once('>')?.0));
        let path = rest.find(" /").and_then(|at| rest.get(at + 1..));
        let file = path.and_then(|path| path.rsplit('/').next());
        let known = file
            .and_then(|file| self.by_name.get(file))
            .or_else(|| self.by_name.get(identifier))
            .copied();
        let index = known.unwrap_or_else(|| self.add(file.unwrap_or(identifier)));
        let Some(image) = self.list.get_mut(index) else {
            return;
        };
        image.base = Some(base);
        image.size = end.and_then(|end| end.checked_sub(base)?.checked_add(1));
        image.uuid = uuid.map(str::to_owned);
        image.path = path.map(str::to_owned);
    }

    /// The list; every frame's address becomes an offset where its image's base is known, and
    /// nothing where it is not.
    pub(super) fn finish(self, threads: &mut [Thread], thrown: &mut [Frame]) -> Vec<Image> {
        let frames = threads.iter_mut().flat_map(|thread| &mut thread.frames);
        for frame in frames.chain(thrown) {
            let base = frame
                .image_index
                .and_then(|index| self.list.get(index)?.base);
            frame.image_offset = frame
                .image_offset
                .and_then(|address| address.checked_sub(base?));
        }
        self.list
    }
}
