//! Categories: `category_t`.

use super::method;
use super::model::Category;
use super::reader::Reader;

/// The categories that the image lists. `__objc_catlist2` has those of Swift's stub classes.
pub(super) fn list<'a>(reader: &mut Reader<'_, 'a>) -> Vec<Category<'a>> {
    reader
        .listed(
            "the list of categories",
            &["__objc_catlist", "__objc_catlist2"],
        )
        .into_iter()
        .map(|address| read(reader, address))
        .collect()
}

fn read<'a>(reader: &mut Reader<'_, 'a>, address: u64) -> Category<'a> {
    let width = reader.width;
    let field = |index: u64| address.wrapping_add(index * width);
    Category {
        name: reader.text_by("a category's name", field(0)),
        address,
        class: reader.class_by("a category's class", field(1)),
        instance_methods: method::by(reader, field(2)),
        class_methods: method::by(reader, field(3)),
        protocols: reader.protocol_names(field(4)),
    }
}
